"""Certificates: where they come from, how long they last, and how a server gets the next one in time."""
