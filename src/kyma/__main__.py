"""`python -m kyma` and the `kyma` script."""

import sys

from kyma.commands import app
from kyma.config import ConfigError
from kyma.core.errors import KymaError
from kyma.local import LocalModelError


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed with a message, 2 wrong usage."""
    try:
        app()
    except (ConfigError, KymaError, LocalModelError) as error:
        sys.exit(f"kyma: {error}")


if __name__ == "__main__":
    main()
