"""`python -m tests.accept [--name S] [--full] [--size N] [--seed N] [--mutants rotate|all|none]`.

Every run prints its seed; `--seed` plays it again. Ends with `N passed, N failed` and exit code 1 if one failed.
"""

import argparse
import random
import sys

from tests.accept.runner import MutantChoice, run_all
from tests.accept.suites import SUITES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.accept", description=__doc__)
    parser.add_argument(
        "--name",
        action="append",
        choices=SUITES,
        help="this suite only; may be repeated (default: all but those that run by name only)",
    )
    parser.add_argument("--full", action="store_true", help="full sizes instead of quick ones")
    parser.add_argument("--size", type=int, help="another size, in the suite's own unit")
    parser.add_argument("--seed", type=int, help="default: a random one")
    parser.add_argument(
        "--mutants", choices=[choice.value for choice in MutantChoice], default="rotate", help="planted bugs to try"
    )
    wanted = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if wanted.seed is None else wanted.seed
    names = wanted.name or [name for name, suite in SUITES.items() if not suite.runs_by_name_only]
    return run_all(names, seed, size=wanted.size, is_full=wanted.full, choice=MutantChoice(wanted.mutants))


if __name__ == "__main__":
    sys.exit(main())
