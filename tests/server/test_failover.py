"""A customer does not notice that the first source of a model fails, except by a header."""

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.books import usage_row
from tests.server.catalog import CUTS, FAILURES, GOOD
from tests.upstream.process import UpstreamProcess

FAILING_FIRST = [*FAILURES, "empty"]
FORMS: dict[str, dict[str, object]] = {"short": {"max_tokens": 9}, "long": {}, "streamed": {"stream": True}}
"""Whole answers that are asked for whole, those that are asked for as streams, and streams."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("failure", FAILING_FIRST)
def test_another_source_answers_when_the_first_fails(operator: Api, failure: str, form: str) -> None:
    answer = operator.chat(f"after-{failure}", **FORMS[form])
    assert (answer.status, answer.text) == (200, "w0 w1 w2 w3 w4")
    assert answer.headers["x-kyma-fallback"] == "true"
    assert answer.headers["x-kyma-fallback-layer"] == "1"
    assert answer.headers["x-kyma-model"] == f"after-{failure}"


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_third_source_is_layer_two(operator: Api, is_streaming: bool) -> None:
    answer = operator.chat("third", stream=is_streaming)
    assert (answer.status, answer.headers["x-kyma-fallback-layer"]) == (200, "2")


def test_the_first_source_says_nothing_of_a_fallback(operator: Api) -> None:
    headers = operator.chat("good").headers
    assert "x-kyma-fallback" not in headers and "x-kyma-fallback-layer" not in headers


@pytest.mark.parametrize("is_streaming", [False, True])
def test_the_answer_is_charged_once_at_the_models_price(customer: Api, is_streaming: bool) -> None:
    before = customer.balance()
    assert customer.chat("after-failed-500", stream=is_streaming).status == 200
    assert before - customer.balance() == 3 * 1000 + 5 * 2000


def test_the_books_know_how_many_sources_were_asked(gateway: GatewayProcess, operator: Api) -> None:
    row = usage_row(gateway.db_path, operator.chat("third").headers["x-request-id"])
    assert (row["attempts"], row["layer"], row["route"]) == (3, 2, "zebrafish-spare/script:ok")


def test_a_request_that_is_wrong_itself_is_sent_to_one_source_only(operator: Api, upstream: UpstreamProcess) -> None:
    assert operator.chat("rejected").status == 400
    assert upstream.log("script:ok:word=never") == []


def test_nothing_follows_what_was_delivered(operator: Api, upstream: UpstreamProcess) -> None:
    """Once a word is out no other source is asked, so nothing is said twice."""
    answer = operator.stream("cut-late")
    assert answer.body.count(b'"w0"') == 1
    assert len(upstream.log()) == 1


@pytest.mark.parametrize("is_streaming", [False, True])
@pytest.mark.parametrize("model", [*FAILURES, *CUTS, *(name for name in GOOD if name != "endless"), "rejected", "nope"])
def test_no_answer_tells_who_served_it(operator: Api, model: str, is_streaming: bool) -> None:
    """`Api` searches body and headers for the vendor's name, address, key and ids."""
    answer = operator.chat(model, stream=is_streaming)
    assert answer.headers["content-type"].split(";")[0] in ("application/json", "text/event-stream")
    assert "server" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models?include=all", "/v1/models/good", "/v1/status", "/readyz"])
def test_no_list_tells_who_serves(customer: Api, path: str) -> None:
    assert customer.get(path).status == 200
