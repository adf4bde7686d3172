"""What the server answers: the route table and its handlers, and CoFlows as an extension of Jupyter Server."""
