"""`python -m rotator` and the `rotator` command."""

from __future__ import annotations

import os
import sys

from rotator.cli.main import main as run


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
