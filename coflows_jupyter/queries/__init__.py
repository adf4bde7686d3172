"""Queries: catalog, documentation, arguments, results, OpenAPI."""
