"""Bringing a Workflow to other computers: bundles, revisions, the cloud server, containers, certificates."""
