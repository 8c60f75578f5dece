"""`python -m tests.accept.commands JSON`: several `kyma` commands in one process, since each start takes a second.

JSON is a list of pairs, the words of a command and its standard input. What they print comes out as one text.
"""

import io
import subprocess
import sys
from collections.abc import Sequence

import msgspec

from kyma.__main__ import main
from tests.gateway_process import GatewayProcess
from tests.upstream.process import ROOT

Command = tuple[tuple[str, ...], str]


def run_commands(gateway: GatewayProcess, commands: Sequence[Command]) -> bytes:
    """All that they print, errors too, run in the gateway's environment."""
    line = [sys.executable, "-m", "tests.accept.commands", msgspec.json.encode(commands).decode()]
    ran = subprocess.run(line, cwd=ROOT, env=gateway.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return ran.stdout


def run_here(commands: Sequence[Command]) -> None:
    """One after the other, whatever comes of each."""
    for words, given in commands:
        sys.argv, sys.stdin = ["kyma", *words], io.StringIO(given)
        try:
            main()
        except SystemExit as end:
            print(f"{' '.join(words[:2])} ended: {end.code}", flush=True)


if __name__ == "__main__":
    run_here(msgspec.json.decode(sys.argv[1], type=list[Command]))
