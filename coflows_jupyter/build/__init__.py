"""From a Workflow to a Build: immutable, content-addressed."""
