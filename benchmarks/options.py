"""The command line that every benchmark has, before its own options."""

import argparse


def parser(about: str | None) -> argparse.ArgumentParser:
    """--quick and --help. about: the benchmark's docstring."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument(
        "--quick", action="store_true", help="a few rounds, within seconds: whether it runs, not how fast things are"
    )
    return made
