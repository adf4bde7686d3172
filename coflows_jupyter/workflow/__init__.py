"""A Workflow on disk: package.json, its sources, its folder."""
