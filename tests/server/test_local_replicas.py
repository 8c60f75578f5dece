"""Two processes of the real local model as two sources of it: one may die under load, and no customer sees an error."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.gateway_process import GatewayProcess
from tests.local_model import model_in
from tests.server.api import Answer, Api
from tests.server.books import usage_row
from tests.server.test_local_embeddings import children_of
from tests.server.waiting import LOCAL_MODEL, MODEL_READY_S, wait_until
from tests.unit.local.processes import is_gone_within

CUSTOMERS = 2
"""With their calls under way at a death and one more each, fewer failures in a row than make a source look dead."""

SERVES_AGAIN_WITHIN_S = 60.0
SOURCES = ("local", "local-2")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The embedded model twice, and no other provider."""
    env = {"KYMA_LOCAL_ENABLED": "true", "KYMA_LOCAL_REPLICAS": "2", "KYMA_LIMITS_ENABLED": "false"}
    process = GatewayProcess(tmp_path_factory.mktemp("replicas"), [], [], env=env)
    model_in(process.data_dir)
    with process:
        wait_until(lambda: "Kyma listens on" in process.log(), 2 * MODEL_READY_S)  # said once all models are ready
        yield process


class Load:
    """Customers who ask without a pause until they are told that it is enough; each then asks once more."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.answers: list[Answer] = []
        self._api = Api(gateway.port, gateway.key, (b"local-2",))
        self._enough = threading.Event()
        self._crew = ThreadPoolExecutor(CUSTOMERS)
        self._work = [self._crew.submit(self._ask, customer) for customer in range(CUSTOMERS)]

    def is_silent_for(self, seconds: float) -> bool:
        """Whether nobody gets an answer for so long."""
        count = len(self.answers)
        time.sleep(seconds)
        return len(self.answers) == count

    def end(self) -> list[Answer]:
        self._enough.set()
        for done in self._work:
            done.result()
        self._crew.shutdown()
        return self.answers

    def _ask(self, customer: int) -> None:
        asked = 0
        while not self._enough.is_set():
            self.answers.append(ask(self._api, f"Customer {customer}, question {asked}: count to twenty."))
            asked += 1
        self.answers.append(ask(self._api, f"Customer {customer}: the last question."))


def ask(api: Api, words: str) -> Answer:
    return api.chat(LOCAL_MODEL, messages=[{"role": "user", "content": words}], max_tokens=24)


def busiest(children: list[int], before: dict[int, int]) -> int:
    """Of the children, the one that has worked most since `before`."""
    return max(children, key=lambda child: ticks(child) - before[child])


def ticks(pid: int) -> int:
    """CPU time of a process in clock ticks."""
    fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_the_death_of_one_under_load_is_noticed_by_no_customer_and_it_comes_back(gateway: GatewayProcess) -> None:
    children = children_of(gateway.pid)
    assert len(children) == 2
    before = {child: ticks(child) for child in children}
    load = Load(gateway)
    wait_until(lambda: len(load.answers) >= 2 * CUSTOMERS, MODEL_READY_S)
    killed = busiest(children, before)
    os.kill(killed, signal.SIGSTOP)
    wait_until(lambda: load.is_silent_for(2.0), MODEL_READY_S)  # by then every customer waits for the stopped one
    asked_before = len(load.answers)
    os.kill(killed, signal.SIGKILL)
    assert is_gone_within(killed, 3)
    wait_until(lambda: len(load.answers) >= asked_before + CUSTOMERS, MODEL_READY_S)
    answers = load.end()
    assert {answer.status for answer in answers} == {200}, [answer for answer in answers if answer.status != 200]
    assert all(answer.text for answer in answers)
    layers = [answer.headers.get("x-kyma-fallback-layer") for answer in answers]
    assert set(layers[:asked_before]) == {None}
    assert "1" in layers and set(layers) <= {None, "1"}, layers
    (rescuer,) = {source_of(gateway, answer) for answer in answers if "x-kyma-fallback-layer" in answer.headers}
    wait_until(lambda: len(children_of(gateway.pid)) == 2, MODEL_READY_S)
    questions = itertools.count()
    api = Api(gateway.port, gateway.key)
    wait_until(
        lambda: source_of(gateway, ask(api, f"Question {next(questions)}")) == ({*SOURCES} - {rescuer}).pop(),
        SERVES_AGAIN_WITHIN_S,
    )


def source_of(gateway: GatewayProcess, answer: Answer) -> str:
    """The process that wrote an answer, by its place in the books."""
    return str(usage_row(gateway.db_path, answer.headers["x-request-id"])["route"]).partition("/")[0]
