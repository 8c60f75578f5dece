"""Waits for what happens soon, but not at once."""

import time
from collections.abc import Callable

from tests.gateway_process import GatewayProcess
from tests.server.api import Api

LOCAL_MODEL = "smollm2-135m"
MODEL_READY_S = 30.0


def wait_until(is_so: Callable[[], bool], within_s: float = 5.0) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {within_s:g} s"
        time.sleep(0.02)


def wait_for_local_model(gateway: GatewayProcess) -> None:
    """Until the embedded model is offered."""
    api = Api(gateway.port, "")
    wait_until(lambda: LOCAL_MODEL in [row["id"] for row in api.get("/v1/models").json()["data"]], MODEL_READY_S)
