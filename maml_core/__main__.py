"""`python -m maml_core ...`: see cli.py."""

import sys

try:
    from maml_core.cli import main

    code = main()
except KeyboardInterrupt:  # during the imports
    code = 130
sys.exit(code)
