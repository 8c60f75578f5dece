"""What programs, pages and crawlers ask of a gateway that they do not know yet."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kyma.api.texts import default_contact
from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.customers import stranger


@pytest.fixture
def anybody(groq_gateway: GatewayProcess) -> Api:
    return stranger(groq_gateway.port)


@pytest.fixture(scope="module")
def named_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One that knows its public address and its operator's wishes, and has no model."""
    env = {
        "KYMA_PUBLIC_URL": "https://kyma.example",
        "KYMA_SECURITY_CONTACT": "https://kyma.example/holes",
        "KYMA_SECURITY_EXPIRES_DAYS": "30",
        "KYMA_SIGNUP_CREDIT_USD": "2.125",
    }
    with GatewayProcess(tmp_path_factory.mktemp("named"), [], [], env=env) as process:
        yield process


def test_a_program_finds_all_it_needs(anybody: Api) -> None:
    body = anybody.get("/v1/config").json()
    assert (body["object"], body["base_url"], body["format"]) == ("config", f"{anybody.base_url}/v1", "openai")
    assert body["bases"]["anthropic"] == anybody.base_url
    assert body["streaming"] is True
    assert body["default_model"] == "gpt-oss-120b" and body["recommended_models"] == ["gpt-oss-120b"]
    assert [row["id"] for row in body["models"]] == ["gpt-oss-120b"]
    assert body["aliases"]["best"] == "gpt-oss-120b"
    assert body["endpoints"]["chat_completions"] == "POST /v1/chat/completions"
    assert body["links"]["openapi"] == f"{anybody.base_url}/v1/openapi.json"


def test_every_endpoint_and_link_that_is_told_is_served(anybody: Api) -> None:
    body = anybody.get("/v1/config").json()
    for operation in body["endpoints"].values():
        method, path = operation.split(" ")
        assert anybody.send(method, path, b"{}" if method == "POST" else None).status != 404, operation
    for link in filter(None, body["links"].values()):
        assert anybody.get(link.removeprefix(anybody.base_url)).status == 200, link


def test_capabilities(anybody: Api) -> None:
    body = anybody.get("/v1/capabilities").json()
    assert body["limits"] == {
        "gateway_output_limit": None,
        "max_tokens_passthrough": True,
        "default_max_tokens": 4096,
        "request_body_bytes": 10 * 1024 * 1024,
    }
    assert body["model_count"] == 1
    assert body["models"]["known"] == len(anybody.get("/v1/models?include=all").json()["data"])
    assert body["models"]["by_capability"] == {"chat": 1}
    assert body["reliability"]["automatic_failover"] is True
    assert body["reliability"]["failed_calls_are_charged"] is False
    assert body["pricing"]["signup_credit_usd"] == 0.5
    flags = body["compatibility"]
    assert flags["openai_chat_completions"] and flags["anthropic_messages"] and flags["tools"]
    assert not flags["vision"], "no model of this gateway sees"


@pytest.mark.parametrize(
    ("name", "label", "message"),
    [("models", "models", "1"), ("creators", "creators", "1"), ("free-credit", "free credit", "$0.50")],
)
def test_a_badge(anybody: Api, name: str, label: str, message: str) -> None:
    body = anybody.get(f"/api/badge/{name}.json").json()
    assert (body["schemaVersion"], body["label"], body["message"]) == (1, label, message)
    assert re.fullmatch(r"[0-9a-f]{6}", body["color"])


def test_a_gateway_without_models_says_so(named_gateway: GatewayProcess) -> None:
    api = stranger(named_gateway.port)
    assert api.get("/api/badge/models.json").json()["message"] == "0"
    assert api.get("/api/badge/free-credit.json").json()["message"] == "$2.125"
    config = api.get("/v1/config").json()
    assert (config["default_model"], config["models"], config["aliases"]) == (None, [], {})
    assert config["base_url"] == "https://kyma.example/v1"
    assert api.get("/llms.txt").status == 200


@pytest.mark.parametrize("path", ["/llms.txt", "/llms-full.txt"])
def test_a_language_model_reads_what_this_is(anybody: Api, path: str) -> None:
    answer = anybody.get(path)
    text = answer.body.decode()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.startswith("# Kyma\n\n> ")
    assert f"{anybody.base_url}/v1" in text and "{{" not in text
    assert "`POST /v1/chat/completions`" in text
    assert "`gpt-oss-120b` (GPT-OSS 120B, OpenAI" in text and "$0.2025 in, $0.81 out per 1M tokens" in text
    assert "claude-opus-4-7" not in text, "it is not served here"


def test_every_link_for_a_language_model_leads_somewhere(anybody: Api) -> None:
    links = re.findall(r"\]\((http[^)]+)\)", anybody.get("/llms.txt").body.decode())
    assert len(links) >= 7
    for link in links:
        query = "?usecase=coding" if link.endswith("/recommend") else ""
        assert anybody.get(link.removeprefix(anybody.base_url) + query).status == 200, link


def test_the_full_text_has_the_short_one_and_more(anybody: Api) -> None:
    short, full = (anybody.get(path).body.decode() for path in ("/llms.txt", "/llms-full.txt"))
    assert "## Errors" in full and "## Errors" not in short
    assert all(section in full for section in short.split("\n\n"))


def test_security_txt_as_it_comes(anybody: Api) -> None:
    lines = fields(anybody)
    assert lines["Contact"] == "mailto:security@[127.0.0.1]"
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert datetime.fromisoformat(lines["Expires"]) == midnight + timedelta(days=180)
    assert "Canonical" not in lines


def test_security_txt_as_the_operator_wants_it(named_gateway: GatewayProcess) -> None:
    lines = fields(stranger(named_gateway.port))
    assert lines["Contact"] == "https://kyma.example/holes"
    assert lines["Canonical"] == "https://kyma.example/.well-known/security.txt"
    assert datetime.fromisoformat(lines["Expires"]) < datetime.now(UTC) + timedelta(days=30)


@pytest.mark.parametrize(
    ("base_url", "contact"),
    [
        ("https://kyma.example/", "mailto:security@kyma.example"),
        ("http://127.0.0.1:8000", "mailto:security@[127.0.0.1]"),
        ("http://[::1]:8000", "mailto:security@[IPv6:::1]"),
    ],
)
def test_the_default_contact_is_at_the_gateways_own_host(base_url: str, contact: str) -> None:
    assert default_contact(base_url) == contact


@pytest.mark.parametrize("contact", ["me@example.com", "http://kyma.example", "mailto:a@b.example\\nExpires: never"])
def test_a_contact_that_is_none_is_refused_at_the_start(tmp_path: Path, contact: str) -> None:
    process = GatewayProcess(tmp_path, [], [])
    (process.config_dir / "kyma.toml").write_text(f'security_contact = "{contact}"\n')
    told = process.cli("config", "show")
    assert told.returncode != 0 and "security_contact must be" in told.stderr


def test_crawlers_are_kept_from_accounts(anybody: Api) -> None:
    answer = anybody.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.body.decode().splitlines() == ["User-agent: *", "Disallow: /v1/admin/", "Disallow: /v1/auth/"]


def fields(api: Api) -> dict[str, str]:
    answer = api.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return dict(line.split(": ", 1) for line in answer.body.decode().splitlines())
