"""Agents: what runs on a schedule, when an M set changes, or when a message arrives."""
