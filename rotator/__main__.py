"""`python -m rotator` and the `rotator` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code; 130 where it is interrupted, however early."""
    try:
        from rotator.cli.main import main as run

        code = run(sys.argv[1:], os.environ)
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
