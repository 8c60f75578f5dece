"""Keys of providers: brought by customers over HTTP, stored by the operator's command, used and never shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_catalog import PROVIDER_KEY, ModelSpec, ProviderSpec, RouteSpec, key_env
from tests.gateway_process import GatewayProcess
from tests.server import catalog
from tests.server.api import Answer, Api
from tests.server.customers import open_account
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess

PROVIDER = f"{catalog.VENDOR}-good"
PATH = f"/v1/auth/provider-keys/{PROVIDER}"
OWN_KEY = "sk-brought-by-a-customer-Zx9q"
STORED_KEY = "sk-stored-by-the-operator-Wv8p"
ACME = "acme"


@pytest.fixture
def owner(gateway: GatewayProcess) -> Api:
    """A customer who may read the name of the provider: it is theirs."""
    return open_account(gateway.port)


def put(api: Api, body: object, path: str = PATH) -> Answer:
    return api.send("PUT", path, json.dumps(body).encode())


def authorization(upstream: UpstreamProcess, script: str) -> list[str]:
    """The keys that calls came with, oldest first."""
    return [entry.headers["authorization"] for entry in upstream.log(script)]


def test_a_key_is_stored_listed_and_erased_and_never_shown(owner: Api) -> None:
    stored = put(owner, {"key": OWN_KEY})
    view = stored.json()
    assert (stored.status, view["object"], view["provider"], view["last4"]) == (200, "provider_key", PROVIDER, "Zx9q")
    assert set(view) == {"object", "provider", "last4", "created_at"}
    assert owner.get(PATH).json() == view
    assert owner.get("/v1/auth/provider-keys").json() == {"object": "list", "data": [view]}
    assert owner.send("DELETE", PATH).json() == {"provider": PROVIDER, "deleted": True}
    assert owner.get("/v1/auth/provider-keys").json() == {"object": "list", "data": []}
    assert owner.get(PATH).error["code"] == "provider_key_not_found"


def test_calls_go_out_under_the_customers_own_key(owner: Api, customer: Api, upstream: UpstreamProcess) -> None:
    put(owner, {"key": OWN_KEY})
    for api in (owner, customer):
        assert api.chat("good").status == 200
    owner.send("DELETE", PATH)
    assert owner.chat("good").status == 200
    assert authorization(upstream, "script:ok") == [
        f"Bearer {OWN_KEY}",
        f"Bearer {PROVIDER_KEY}",
        f"Bearer {PROVIDER_KEY}",
    ]


def test_another_key_takes_the_place_of_the_first(owner: Api, upstream: UpstreamProcess) -> None:
    for key in (OWN_KEY, OWN_KEY[::-1]):
        put(owner, {"key": f" {key}\n"})
        assert owner.chat("good").status == 200
    assert authorization(upstream, "script:ok") == [f"Bearer {OWN_KEY}", f"Bearer {OWN_KEY[::-1]}"]


def test_nobody_sees_or_erases_somebody_elses_key(owner: Api, gateway: GatewayProcess) -> None:
    put(owner, {"key": OWN_KEY})
    other = open_account(gateway.port)
    unknown = other.send("DELETE", "/v1/auth/provider-keys/nobody")
    foreign = other.send("DELETE", PATH)
    assert (foreign.status, foreign.body) == (unknown.status, unknown.body) == (404, unknown.body)
    assert other.get(PATH).status == 404
    assert other.get("/v1/auth/provider-keys").json()["data"] == []
    assert owner.get(PATH).status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_without_an_account_there_is_nothing(gateway: GatewayProcess, method: str) -> None:
    body = json.dumps({"key": OWN_KEY}).encode() if method == "PUT" else None
    answer = Api(gateway.port, "").send(method, PATH, body)
    assert answer.status == 401
    assert OWN_KEY.encode() not in answer.body


def test_a_key_for_nobody_is_refused(owner: Api) -> None:
    refused = put(owner, {"key": OWN_KEY}, "/v1/auth/provider-keys/nobody")
    assert (refused.status, refused.error["code"]) == (404, "provider_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": None},
        {"key": [OWN_KEY]},
        {"key": ""},
        {"key": "short"},
        {"key": f"{OWN_KEY} {OWN_KEY}"},
        {"key": f"{OWN_KEY}\r\nx-evil: 1"},
        {"key": f"{OWN_KEY}\n{OWN_KEY}"},
        {"key": f"{OWN_KEY}ß"},
        {"key": f"{OWN_KEY}\x00"},
        {"key": OWN_KEY * 200},
        [OWN_KEY],
        OWN_KEY,
    ],
    ids=lambda body: str(body)[:24],
)
def test_what_is_no_key_is_refused_unquoted(owner: Api, body: object) -> None:
    refused = put(owner, body)
    assert refused.status == 400, refused
    assert refused.error["type"] == "invalid_request"
    assert OWN_KEY.encode() not in refused.body
    assert owner.get(PATH).status == 404


@pytest.fixture
def acme(upstream_process: UpstreamProcess, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway whose only provider is off for want of a key."""
    provider = ProviderSpec(ACME, upstream_process.base_url)
    models = [ModelSpec("model", [RouteSpec(ACME, "script:ok:word=acme")])]
    env = {key_env(provider): "", "KYMA_PROVIDER_KEYS_POLL_S": "0.05"}
    with GatewayProcess(tmp_path, [provider], models, env=env) as process:
        yield process


def is_available(api: Api) -> bool:
    return bool(api.get("/v1/models/model").json()["available"])


def test_the_operators_stored_key_switches_a_running_provider_on_and_off(
    acme: GatewayProcess, upstream: UpstreamProcess
) -> None:
    api = Api(acme.port, acme.key)
    assert not is_available(api)
    added = acme.cli("provider-keys", "add", ACME, given=f"{STORED_KEY}\n")
    assert (added.returncode, added.stderr) == (0, "")
    key_id = added.stdout.split()[0]
    wait_until(lambda: is_available(api))
    assert api.chat("model").status == 200
    assert authorization(upstream, "script:ok:word=acme") == [f"Bearer {STORED_KEY}"]
    assert acme.cli("provider-keys", "disable", key_id).returncode == 0
    wait_until(lambda: not is_available(api))
    assert " off " in acme.cli("provider-keys", "list").stdout
    assert acme.cli("provider-keys", "enable", key_id).returncode == 0
    wait_until(lambda: is_available(api))
    assert acme.cli("provider-keys", "remove", key_id).returncode == 0
    wait_until(lambda: not is_available(api))
    assert STORED_KEY not in acme.log()


def test_stored_keys_outlive_a_restart_and_a_rotation(acme: GatewayProcess, upstream: UpstreamProcess) -> None:
    acme.cli("provider-keys", "add", ACME, given=STORED_KEY)
    before = (acme.data_dir / "master.key").read_text()
    rotated = acme.cli("provider-keys", "rotate")
    assert (rotated.returncode, rotated.stdout) == (0, "1 data keys are under the new master key\n")
    after = (acme.data_dir / "master.key").read_text()
    assert before not in after and len(after.split()) == 1
    api = Api(acme.port, acme.key)
    wait_until(lambda: is_available(api))
    owned = put(api, {"key": OWN_KEY}, f"/v1/auth/provider-keys/{ACME}")
    assert owned.status == 200
    acme.restart()
    assert api.chat("model").status == 200
    assert api.send("DELETE", f"/v1/auth/provider-keys/{ACME}").status == 200
    assert api.chat("model").status == 200
    keys = authorization(upstream, "script:ok:word=acme")
    assert keys == [f"Bearer {OWN_KEY}", f"Bearer {STORED_KEY}"]


def test_the_master_key_is_its_owners_alone(acme: GatewayProcess) -> None:
    assert (acme.data_dir / "master.key").stat().st_mode & 0o777 == 0o600
