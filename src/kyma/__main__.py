"""`python -m kyma` and the `kyma` script."""

import sys

from kyma.commands import app
from kyma.commands.session import FAILURES, explain


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed with a message, 2 wrong usage."""
    try:
        app()
    except FAILURES as error:
        sys.exit(f"kyma: {explain(error)}")


if __name__ == "__main__":
    main()
