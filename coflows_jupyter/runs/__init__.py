"""Every call that was made: those that go on, and the history of those that ended."""
