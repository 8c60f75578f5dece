"""A real gateway in front of a stand-in for Google: tokens for its calls, renewal under traffic, and no word of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.google_stand_in import EMAIL, PROJECT, GoogleStandIn
from tests.server.api import Answer, Api
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess

MODELS = ("gemini-3-flash", "claude-sonnet-4-6", "gpt-oss-120b")
SECRETS = tuple(word.encode() for word in ("ya29", EMAIL, PROJECT, "vertex", "aiplatform", "PRIVATE KEY"))


@pytest.fixture
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn() as stand_in:
        yield stand_in


def gateway_for(google: GoogleStandIn, folder: Path, upstream: UpstreamProcess) -> GatewayProcess:
    """The packaged rows, pointed at the stand-in, and a model with the scripted upstream behind Vertex AI."""
    key = folder / "account.json"
    key.write_text(google.service_account())
    env = {
        "GOOGLE_APPLICATION_CREDENTIALS": str(key),
        "GOOGLE_VERTEX_PROJECT": PROJECT,
        "GOOGLE_VERTEX_LOCATION": "global",
        "GOOGLE_VERTEX_ENDPOINT": google.url,
        "KYMA_LOG_LEVEL": "debug",
    }
    spare = ProviderSpec("spare", upstream.base_url)
    backed = ModelSpec("backed", [RouteSpec("vertex", "gemini-3-flash-preview"), RouteSpec("spare", "script:ok")])
    return GatewayProcess(folder, [spare], [backed], env=env)


def api_of(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key, SECRETS)


def ready(gateway: GatewayProcess, google: GoogleStandIn) -> Api:
    """A customer's view once the first token is there."""
    google.wait_minted(1)
    api = api_of(gateway)
    wait_until(lambda: api.chat("gemini-3-flash").status == 200)
    google.asked.clear()
    return api


@pytest.mark.parametrize("is_streaming", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_every_family_answers_with_the_minted_token(
    google: GoogleStandIn, upstream: UpstreamProcess, tmp_path: Path, model: str, is_streaming: bool
) -> None:
    with gateway_for(google, tmp_path, upstream) as gateway:
        api = ready(gateway, google)
        answer = api.chat(model, stream=is_streaming)
        assert (answer.status, answer.text) == (200, "It rains.")
        (asked,) = google.asked
        assert asked.token == "ya29.c.stand-in-1" and f"/projects/{PROJECT}/locations/global/" in asked.path
    assert_discreet(gateway)


def test_renewal_goes_on_under_traffic_and_no_call_sees_an_old_token(
    google: GoogleStandIn, upstream: UpstreamProcess, tmp_path: Path
) -> None:
    """The stand-in answers 401 to a token that has ended."""
    google.life_s = 4
    with gateway_for(google, tmp_path, upstream) as gateway:
        api = ready(gateway, google)
        answers: list[Answer] = []
        while len(google.assertions) < 4:
            answers.append(api.chat("gemini-3-flash"))
        assert {answer.status for answer in answers} == {200}
        assert len({asked.token for asked in google.asked}) >= 3


def test_a_model_without_another_source_waits_for_the_token_endpoint(
    google: GoogleStandIn, upstream: UpstreamProcess, tmp_path: Path
) -> None:
    google.refusal = (503, {"error": "temporarily_unavailable"})
    with gateway_for(google, tmp_path, upstream) as gateway:
        google.wait_minted(1)
        api = api_of(gateway)
        refused = api.chat("gemini-3-flash")
        assert (refused.status, refused.error["code"]) == (503, "no_source_available")
        backed = api.chat("backed")
        assert (backed.status, backed.headers["x-kyma-fallback-layer"]) == (200, "1")
        assert google.asked == [], "nothing is asked without a token"
        google.refusal = None
        wait_until(lambda: api.chat("gemini-3-flash").status == 200, 15)
    assert_discreet(gateway)


def test_a_refused_token_is_renewed_at_once_while_the_next_source_answers(
    google: GoogleStandIn, upstream: UpstreamProcess, tmp_path: Path
) -> None:
    with gateway_for(google, tmp_path, upstream) as gateway:
        api = ready(gateway, google)
        google.revoke()
        answer = api.chat("backed")
        assert (answer.status, answer.text) == (200, "w0 w1 w2 w3 w4")
        assert answer.headers["x-kyma-fallback-layer"] == "1"
        google.wait_minted(2)
        google.asked.clear()
        wait_until(lambda: api.chat("backed").text == "It rains.")
        assert {asked.token for asked in google.asked} == {"ya29.c.stand-in-2"}
    assert_discreet(gateway)


def test_without_the_extra_the_gateway_says_what_to_install(tmp_path: Path, upstream: UpstreamProcess) -> None:
    """A folder in front of the real one has a `google` that holds nothing."""
    hidden = tmp_path / "hidden" / "google"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("")
    with GoogleStandIn() as google:
        gateway = gateway_for(google, tmp_path, upstream)
        gateway.env["PYTHONPATH"] = str(hidden.parent)
        with pytest.raises(AssertionError, match=r"pip install 'kyma\[vertex\]'"):
            gateway.start()


def assert_discreet(gateway: GatewayProcess) -> None:
    """No token, account or project in the log, at its most talkative."""
    log = gateway.log()
    assert not [word for word in ("ya29", EMAIL, PROJECT, "PRIVATE KEY") if word in log]
