"""What Python code of the original imports: ``clr``, ``System``, ``QuantApp.Kernel`` and ``QuantApp.Engine``."""
