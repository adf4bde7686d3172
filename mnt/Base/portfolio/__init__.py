"""A small library of portfolio analytics, shared by the Queries and notebooks of this Workflow."""
