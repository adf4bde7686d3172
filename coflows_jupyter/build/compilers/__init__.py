"""Compilers in a process of their own, kept warm."""
