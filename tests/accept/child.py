"""`python -m tests.accept.child NAME --size N --seed S`: one suite in a process of its own.

First says which copy of kyma it tests, then prints figures. Exit code 0: all met; 1: one is not; 2: the suite broke.
"""

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

import kyma
from tests.accept.suite import Figure, Run
from tests.accept.suites import SUITES
from tests.gateway_process import GatewayFailed

MET, NOT_MET, BROKE = 0, 1, 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.accept.child", description=__doc__)
    parser.add_argument("name", choices=SUITES)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--full", action="store_true")
    wanted = parser.parse_args()
    print(f"kyma {Path(kyma.__file__).parent}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kyma-accept-") as folder:
        try:
            figures: list[Figure] = SUITES[wanted.name].run(Run(wanted.size, wanted.seed, wanted.full, Path(folder)))
        except GatewayFailed as error:  # it hangs or dies: that is a finding
            figures = [Figure("starts and stops of the gateway", "failed", str(error).splitlines()[0], False)]
        except Exception:
            traceback.print_exc(file=sys.stdout)
            return BROKE
    for figure in figures:
        print(figure)
    return MET if all(figure.is_met for figure in figures) else NOT_MET


if __name__ == "__main__":
    sys.exit(main())
