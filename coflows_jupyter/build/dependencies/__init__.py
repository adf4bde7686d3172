"""What a Workflow needs besides its own sources, brought to this computer."""
