"""The real gateway process as the bench runs it: all features on but rate limits, the mock as its only upstream."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayFailed, GatewayProcess

from bench.cases import CASES, ROUTED
from bench.cores import on_the_targets_core
from bench.figures import EVENT_INTERVAL_MS, HOLD_INTERVAL_MS
from bench.target import CannotMeasure, Target

CREDIT_USD = "10000"


class Gateway(msgspec.Struct, frozen=True):
    """A running gateway whose operator has credit that no run uses up."""

    process: GatewayProcess

    @property
    def target(self) -> Target:
        """Where to send the load; changes with every restart."""
        return Target("kyma", self.process.port, self.process.pid, self.process.key)

    def restart(self) -> float:
        """Seconds from exec to the first 200."""
        with on_the_targets_core():
            return self.process.restart()


@contextmanager
def running_gateway(mock_port: int) -> Iterator[Gateway]:
    """A gateway in front of the mock, gone at the end. Raises: CannotMeasure if it does not run."""
    models = {
        name: ModelSpec(name, [RouteSpec(case.provider, name)])
        for case in CASES
        for name in (case.plain_model, *map(case.paced_model, (EVENT_INTERVAL_MS, HOLD_INTERVAL_MS)))
    }
    routed = ROUTED.plain_model
    models[routed] = ModelSpec(routed, [RouteSpec(provider, routed) for provider in ROUTED.providers])
    # Hung-up streams end upstream at once, as nginx does it; drained ones would run on into the next round.
    fields = {"cancel_stops_billing": True}
    address = f"http://127.0.0.1:{mock_port}/v1"
    providers = {
        name: ProviderSpec(name, address, fields, case.family) for case in (ROUTED, *CASES) for name in case.providers
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kyma-bench-")))
        process = GatewayProcess(
            folder, [*providers.values()], [*models.values()], env={"KYMA_LIMITS_ENABLED": "false"}
        )
        try:
            with on_the_targets_core():
                stack.enter_context(process)
            granted = process.cli("credits", "grant", "--usd", CREDIT_USD)
            if granted.returncode != 0:
                raise CannotMeasure(f"no credit: {granted.stdout}{granted.stderr}")
            yield Gateway(process)
        except GatewayFailed as error:
            raise CannotMeasure(str(error)) from error
