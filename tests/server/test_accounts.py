"""Accounts over HTTP: sign up, sign in, who am I, keys, balance, limits."""

import re
import time

import pytest

from tests.gateway_process import PASSWORD, GatewayProcess
from tests.server.api import Api
from tests.server.customers import register, stranger

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
REVOKED_WITHIN_S = 5.0


@pytest.fixture
def nobody(gateway: GatewayProcess) -> Api:
    """Somebody without an account."""
    return stranger(gateway.port)


def test_registering_answers_with_a_key_and_a_session(nobody: Api) -> None:
    body = register(nobody, "ann@example.com").json()
    assert set(body) == {"user_id", "api_key", "session_token"}
    assert re.fullmatch(r"ky-[0-9A-Za-z]{44}", body["api_key"])
    assert body["session_token"].startswith("ks-")
    for credential in (body["api_key"], body["session_token"]):
        assert nobody.as_(credential).get("/v1/auth/me").json()["user_id"] == body["user_id"]


def test_registering_needs_no_password(nobody: Api) -> None:
    answer = nobody.post("/v1/auth/register", {"email": "bob@example.com"})
    assert answer.status == 200 and nobody.as_(answer.json()["api_key"]).balance() == 500_000_000


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"email": "no address", "password": PASSWORD}, 400, "invalid_email", "email"),
        ({"email": "c@example.com", "password": "12345"}, 400, "invalid_password", "password"),
        ({"email": "c@example.com", "password": "password"}, 400, "common_password", "password"),
        ({"email": "operator@localhost.localdomain", "password": PASSWORD}, 409, "email_taken", "email"),
        ({"password": PASSWORD}, 400, "invalid_request", "email"),
        ({"email": 5}, 400, "invalid_request", "email"),
        ({"email": "c@example.com", "password": ["x"]}, 400, "invalid_request", "password"),
    ],
)
def test_registering_refuses(nobody: Api, body: dict[str, object], status: int, code: str, param: str) -> None:
    answer = nobody.post("/v1/auth/register", body)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (status, code, param)


def test_signing_in_answers_with_a_session(nobody: Api) -> None:
    user_id = register(nobody, "dora@example.com").json()["user_id"]
    body = nobody.post("/v1/auth/login", {"email": "Dora@Example.com", "password": PASSWORD}).json()
    assert (body["user_id"], body["email"]) == (user_id, "dora@example.com")
    assert nobody.as_(body["session_token"]).get("/v1/auth/me").status == 200


@pytest.mark.parametrize("email", ["operator@localhost.localdomain", "nobody@example.com", "no address"])
def test_signing_in_says_the_same_to_whoever_is_wrong(nobody: Api, email: str) -> None:
    answer = nobody.post("/v1/auth/login", {"email": email, "password": "not the password"})
    assert (answer.status, answer.error["type"], answer.error["code"]) == (401, "auth_error", "invalid_credentials")


def test_me_shows_user_balance_tier_and_keys(customer: Api) -> None:
    body = customer.get("/v1/auth/me").json()
    assert (body["balance"], body["tier"]) == (0.5, 0)
    assert body["user"] == {"id": body["user_id"], "email": body["email"], "created_at": body["user"]["created_at"]}
    assert TIME.fullmatch(body["user"]["created_at"])
    (key,) = body["keys"]
    assert set(key) == {"id", "name", "prefix", "masked", "created_at", "last_used_at"}
    assert customer.key.startswith(key["prefix"]) and customer.key not in repr(body)


def test_a_new_key_is_shown_once(customer: Api) -> None:
    answer = customer.post("/v1/auth/keys", {"name": "laptop"})
    made = answer.json()
    assert (answer.status, made["name"]) == (201, "laptop")
    assert customer.as_(made["api_key"]).balance() == 500_000_000
    listed = customer.get("/v1/auth/keys")
    assert listed.json()["object"] == "list"
    assert made["id"] in [key["id"] for key in listed.json()["data"]]
    assert made["api_key"].encode() not in listed.body


def test_a_revoked_key_dies(customer: Api) -> None:
    made = customer.post("/v1/auth/keys", {}).json()
    dying = customer.as_(made["api_key"])
    assert dying.chat("good").status == 200
    assert customer.send("DELETE", f"/v1/auth/keys/{made['id']}").json() == {"id": made["id"], "deleted": True}
    answer = dying.chat("good")
    assert (answer.status, answer.error["code"]) == (401, "api_key_revoked")
    assert customer.chat("good").status == 200


def test_a_key_revoked_by_the_operator_dies_within_five_seconds(gateway: GatewayProcess, operator: Api) -> None:
    dying = operator.as_(gateway.cli("keys", "create", "--name", "dying").stdout.strip())
    assert dying.chat("good").status == 200
    (key_id,) = [line.split()[0] for line in gateway.cli("keys", "list").stdout.splitlines() if " dying " in line]
    assert gateway.cli("keys", "revoke", key_id).returncode == 0
    revoked_at = time.monotonic()
    while (status := dying.chat("good").status) == 200:
        assert time.monotonic() - revoked_at <= REVOKED_WITHIN_S
        time.sleep(0.1)
    assert status == 401


def test_somebody_elses_key_cannot_be_revoked(customer: Api, operator: Api) -> None:
    (key,) = customer.get("/v1/auth/keys").json()["data"]
    answer = operator.send("DELETE", f"/v1/auth/keys/{key['id']}")
    assert (answer.status, answer.error["code"]) == (404, "key_not_found")
    assert customer.balance() == 500_000_000


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer {key}"},
        {"authorization": "bearer  {key}"},
        {"x-api-key": "{key}"},
        {"authorization": "Bearer kyma-{rest}"},
        {"x-api-key": "kyma-{rest}"},
        {"authorization": "Basic dXNlcjpwYXNz", "x-api-key": "{key}"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/credits/balance", "/v1/chat/completions"])
def test_a_key_is_taken_in_every_form(nobody: Api, operator: Api, headers: dict[str, str], path: str) -> None:
    sent = {
        name: value.format(key=operator.key, rest=operator.key.removeprefix("ky-")) for name, value in headers.items()
    }
    body = b'{"model":"good","messages":[{"role":"user","content":"x"}]}' if path.endswith("completions") else None
    assert nobody.send("POST" if body else "GET", path, body, sent).status == 200


def test_a_session_may_chat(nobody: Api) -> None:
    session = register(nobody).json()["session_token"]
    assert nobody.as_(session).chat("good").status == 200


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "missing_api_key"),
        ("ky-nonsense", "invalid_api_key"),
        ("ky-" + "0" * 44, "invalid_api_key"),
        ("sk-proj-123", "invalid_api_key"),
        ("ks-" + "0" * 43, "invalid_api_key"),
        ("\xff\xfe", "invalid_api_key"),
        ("x" * 10_000, "invalid_api_key"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/credits/balance", "/v1/auth/me", "/v1/auth/limits", "/v1/auth/keys"])
def test_a_wrong_key_is_refused(nobody: Api, key: str, code: str, path: str) -> None:
    answer = nobody.as_(key).get(path)
    assert (answer.status, answer.error["type"], answer.error["code"]) == (401, "auth_error", code)


def test_a_wrong_key_is_refused_where_none_is_needed(nobody: Api) -> None:
    """Clients check a key by listing the models."""
    assert nobody.get("/v1/models").status == 200
    assert nobody.as_("ky-nonsense").get("/v1/models").status == 401


def test_the_balance_body(customer: Api) -> None:
    customer.chat("good")
    assert customer.get("/v1/credits/balance").json() == {
        "object": "balance",
        "balance": 0.499987,
        "reserved": 0.0,
        "currency": "USD",
        "low_balance": True,
        "tier": 0,
        "lifetime_purchased": 0.0,
        "lifetime_spent": 0.000013,
    }


def test_a_grant_by_the_operator_is_seen_at_once(gateway: GatewayProcess, nobody: Api) -> None:
    customer = nobody.as_(register(nobody, "erin@example.com").json()["api_key"])
    assert customer.chat("dear", max_tokens=2_000).status == 402
    granted = gateway.cli("credits", "grant", "--usd", "25", "--email", "erin@example.com")
    assert granted.returncode == 0, granted.stderr
    assert customer.balance() == 25_500_000_000
    assert not customer.get("/v1/credits/balance").json()["low_balance"]
    assert customer.chat("dear", max_tokens=2_000).status == 200


def test_the_operator_is_of_the_highest_tier(operator: Api) -> None:
    assert operator.get("/v1/auth/me").json()["tier"] == 4
