"""M sets: persistent sets of JSON values that queries, agents, notebooks and people share."""
