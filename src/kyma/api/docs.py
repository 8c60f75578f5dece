"""GET /docs: the served document for people, drawn by a Swagger UI of our own keeping: no other host is asked."""

import functools
import gzip
import hashlib
import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from kyma.api.depends import TheGateway
from kyma.catalog import builtin_data
from kyma.core.errors import NotFound

router = APIRouter(include_in_schema=False)

TYPES: Mapping[str, str] = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
    "house.css": "text/css; charset=utf-8",
}
"""What the page loads. A file that is kept compressed has `.gz` behind its name."""

FOREVER = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
PLACE = re.compile(r"\{\{([^}]+)\}\}")
DIGEST_CHARS = 12


@router.get("/docs")
async def docs(gateway: TheGateway) -> Response:
    """The page. It loads and calls nothing but this gateway, at either of its addresses."""
    own = urlsplit(gateway.base_url)
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {own.scheme}://{own.netloc}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "cache-control": "no-cache",
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(_page(), headers=headers)


@router.get("/docs/{digest}/{name}")
async def docs_file(request: Request, digest: str, name: str) -> Response:
    """A file of the page, at an address that changes with its content. Raises: NotFound."""
    if name not in TYPES or digest != _digest(name):
        raise NotFound(f"there is no {request.url.path} here; the page is at /docs")
    content, is_compressed = _content(name)
    headers = {"content-type": TYPES[name], **FOREVER}
    if is_compressed:
        headers["vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    return Response(content, headers=headers)


@functools.cache
def _page() -> str:
    page = (_folder() / "index.html").read_text(encoding="utf-8")
    return PLACE.sub(lambda place: f"docs/{_digest(place[1])}/{place[1]}", page)


@functools.cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)[0]).hexdigest()[:DIGEST_CHARS]


@functools.cache
def _content(name: str) -> tuple[bytes, bool]:
    """A file as it is kept, and whether that is compressed."""
    compressed = _folder() / f"{name}.gz"
    return (compressed.read_bytes(), True) if compressed.is_file() else ((_folder() / name).read_bytes(), False)


def _folder() -> Traversable:
    return builtin_data() / "docs"
