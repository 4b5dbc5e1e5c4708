"""`python -m maml_core ...`, or `maml-core ...` where it was installed: see cli.py."""

import sys


def run() -> int:
    """Run this process's command line; returns the exit status."""
    try:
        from maml_core.cli import main

        return main()
    except KeyboardInterrupt:  # during the imports
        return 130


if __name__ == "__main__":
    sys.exit(run())
