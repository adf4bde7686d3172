"""What is wrong with this computer for a Workflow, why that matters, and the command that mends it."""
