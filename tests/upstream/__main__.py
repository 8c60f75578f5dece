"""`python -m tests.upstream --port 0`: prints `{"port": N}` and serves until it is told to stop."""

import argparse
import json

import uvloop

from tests.upstream.listen import open_listener
from tests.upstream.server import serve


def main() -> None:
    """Bind, say where, serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    listener = open_listener(parser.parse_args().port)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    uvloop.run(serve(listener))


if __name__ == "__main__":
    main()
