"""``python -m coflows_jupyter`` is the ``coflows`` command."""

from __future__ import annotations

from coflows_jupyter.cli import main

if __name__ == "__main__":
    main()
