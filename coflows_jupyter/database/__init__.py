"""The database of a Workflow: where it is, its schema, and the one thread that works with it."""
