"""GET /docs: a page that loads nothing but what this gateway serves. A browser draws it in `make accept NAME=pages`."""

import gzip
import hashlib
import re

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Answer, Api
from tests.server.customers import stranger

SWAGGER_UI = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}
"""SHA-256 of the files of npm's swagger-ui-dist 5.35.0."""

TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}


@pytest.fixture
def anybody(gateway: GatewayProcess) -> Api:
    return stranger(gateway.port)


def loaded(page: Answer) -> list[str]:
    """The addresses that the page loads."""
    return [f"/{address}" for address in re.findall(r'(?:src|href)="(docs/[^"]+)"', page.body.decode())]


def test_the_page_forbids_other_hosts_and_inline_code(anybody: Api) -> None:
    page = anybody.get("/docs")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {anybody.base_url}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["cache-control"] == "no-cache"
    assert b"{{" not in page.body and b"https://" not in page.body


def test_what_the_page_loads_may_be_kept_for_good(anybody: Api) -> None:
    addresses = loaded(anybody.get("/docs"))
    assert len(addresses) == 4
    for address in addresses:
        answer = anybody.get(address)
        assert (answer.status, answer.headers["content-type"]) == (200, TYPES[address.rpartition(".")[2]])
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_swagger_ui_is_served_as_its_makers_published_it(anybody: Api) -> None:
    for address in loaded(anybody.get("/docs")):
        name = address.rpartition("/")[2]
        if name in SWAGGER_UI:
            plain, small = anybody.get(address), anybody.send("GET", address, headers={"accept-encoding": "gzip, br"})
            assert small.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
            assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
            assert gzip.decompress(small.body) == plain.body
            assert hashlib.sha256(plain.body).hexdigest() == SWAGGER_UI[name]


def test_another_address_is_not_found(anybody: Api) -> None:
    address = loaded(anybody.get("/docs"))[0]
    for wrong in (address.replace(address.split("/")[2], "0" * 12), f"{address}.gz", "/docs/a/index.html"):
        assert anybody.get(wrong).status == 404
