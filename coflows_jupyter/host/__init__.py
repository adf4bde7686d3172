"""Hosts: where user code runs. One Build for a host's whole life."""
