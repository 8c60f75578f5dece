"""`python -m kyma` and the `kyma` script."""

import gc
import importlib
import sys


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed with a message, 2 wrong usage."""
    gc.disable()  # what is loaded stays: looking through it for garbage took a quarter of a start
    commands, session = importlib.import_module("kyma.commands"), importlib.import_module("kyma.commands.session")
    gc.enable()
    try:
        commands.app()
    except session.FAILURES as error:
        sys.exit(f"kyma: {session.explain(error)}")


if __name__ == "__main__":
    main()
