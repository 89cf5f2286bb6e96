"""The way into the command line: says the same sentence when interrupted before there is a command.

Belongs here: nothing that takes time to import. Does not belong here: commands (`cli`), other errors
(`cli_errors`).
"""

import sys

from tallyhouse.errors import INTERRUPTED, INTERRUPTED_CODE


def main() -> None:
    """Run the command line."""
    try:
        from app.cli import main as command

        command()
    except KeyboardInterrupt:
        sys.stderr.write(INTERRUPTED + "\n")
        sys.exit(INTERRUPTED_CODE)
