"""What anybody may read and keep: versions of answers, how long they stay good, and what a key changes."""

import hashlib

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.customers import stranger

CHECKED = {
    "/v1/models": 60,
    "/v1/models/gpt-oss-120b": 60,
    "/v1/models/recommend?usecase=coding": 60,
    "/v1/pricing": 60,
    "/v1/credits/pricing": 60,
    "/v1/limits/tiers": 300,
    "/v1/config": 60,
    "/v1/capabilities": 60,
}
"""They refuse a wrong key; how many seconds each stays good."""

UNCHECKED = {
    "/registry/image-models.json": 300,
    "/api/badge/models.json": 300,
    "/api/badge/creators.json": 300,
    "/api/badge/free-credit.json": 300,
    "/llms.txt": 300,
    "/llms-full.txt": 300,
    "/.well-known/security.txt": 300,
    "/robots.txt": 300,
}
PUBLIC = CHECKED | UNCHECKED


@pytest.fixture
def anybody(groq_gateway: GatewayProcess) -> Api:
    return stranger(groq_gateway.port)


@pytest.mark.parametrize("path", PUBLIC)
def test_anybody_may_keep_it_for_so_long(anybody: Api, path: str) -> None:
    answer = anybody.get(path)
    assert answer.status == 200
    assert answer.headers["cache-control"] == f"public, max-age={PUBLIC[path]}"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'


@pytest.mark.parametrize("path", PUBLIC)
def test_who_has_this_version_is_not_sent_it_again(anybody: Api, path: str) -> None:
    tag = anybody.get(path).headers["etag"]
    for said in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        again = anybody.send("GET", path, headers={"if-none-match": said})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == f"public, max-age={PUBLIC[path]}"
        assert again.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", PUBLIC)
def test_who_has_another_version_is_sent_this_one(anybody: Api, path: str) -> None:
    assert anybody.send("GET", path, headers={"if-none-match": '"another"'}).status == 200


@pytest.mark.parametrize("path", CHECKED)
def test_a_key_makes_an_answer_its_holders_own(groq_gateway: GatewayProcess, anybody: Api, path: str) -> None:
    answer = anybody.as_(groq_gateway.key).get(path)
    assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-cache")
    again = anybody.as_(groq_gateway.key).send("GET", path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status == 304
    for each in (answer, again, anybody.get(path)):
        assert each.headers["vary"] == "Authorization, X-Api-Key, X-Goog-Api-Key"


@pytest.mark.parametrize("path", CHECKED)
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_wrong_key_is_refused_even_by_who_has_this_version(anybody: Api, path: str, header: str) -> None:
    tag = anybody.get(path).headers["etag"]
    wrong = "Bearer ky-wrong" if header == "authorization" else "ky-wrong"
    answer = anybody.send("GET", path, headers={header: wrong, "if-none-match": tag})
    assert answer.status == 401
    assert "public" not in answer.headers.get("cache-control", "")


@pytest.mark.parametrize("path", UNCHECKED)
def test_files_outside_v1_do_not_look_at_a_key(anybody: Api, path: str) -> None:
    answer = anybody.as_("ky-wrong").get(path)
    assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=300")


@pytest.mark.parametrize("path", PUBLIC)
def test_a_page_may_ask_for_it_with_conditions(anybody: Api, path: str) -> None:
    asks = {"origin": "https://page.example", "access-control-request-method": "GET"}
    answer = anybody.send("OPTIONS", path, headers=asks | {"access-control-request-headers": "if-none-match"})
    assert answer.status == 204
    assert "if-none-match" in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("path", PUBLIC)
def test_a_head_has_no_body(anybody: Api, path: str) -> None:
    answer = anybody.send("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["etag"] == anybody.get(path).headers["etag"]


def test_a_version_follows_the_catalog(groq_gateway: GatewayProcess, anybody: Api) -> None:
    operator = anybody.as_(groq_gateway.key)
    before = anybody.get("/v1/limits/tiers").headers["etag"]
    row = 'name = "Zero"\nmin_deposit_usd = 0\nrpm = 7\nper_model_rpm = 7\ntpm = 70000\nmax_single_request = 70000\n'
    overlay = groq_gateway.config_dir / "tiers.toml"
    overlay.write_text(f'[0]\n{row}source = "tests"\n')
    try:
        told = operator.post("/v1/admin/reload", {}).json()
        assert any("it has no slots for images" in warning for warning in told["warnings"])
        after = anybody.get("/v1/limits/tiers")
        assert after.headers["etag"] != before and after.json()["tiers"][0]["image_concurrent"] == 0
    finally:
        overlay.unlink()
        operator.post("/v1/admin/reload", {})
    assert anybody.get("/v1/limits/tiers").headers["etag"] == before
