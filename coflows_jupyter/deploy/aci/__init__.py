"""Azure Container Instances: from a configuration to a container that serves the Workflow."""
