"""Types of columns that are the same on SQLite, PostgreSQL and SQL Server.

On SQL Server only ``Unicode`` types hold any text, and an indexed one has at most 450 characters.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, Unicode, UnicodeText
from sqlalchemy.dialects.mssql import NVARCHAR

# SQLite counts rows up by itself only in a column declared INTEGER.
Number = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number of 64 bits."""

Id = Unicode(64)
"""An ID that a program made."""

Name = Unicode(450)
"""A text that people or Workflows choose, and that may be looked up."""

Text = UnicodeText().with_variant(NVARCHAR(None), "mssql")
"""Any text."""
