"""The notebook's door: the ``query`` object and the ``%coflows`` magic."""
