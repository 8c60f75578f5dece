"""Which models an Ollama server has, and what each of them can do.

Source: github.com/ollama/ollama docs/api.md, docs/openapi.yaml and api/types.go, 2026-08-21. Knows neither catalog nor
prices.
"""

import re
from collections.abc import Mapping
from datetime import date

import msgspec

from kyma.core.errors import Garbled, Unreachable, UpstreamError
from kyma.core.model import Kind, Provider
from kyma.core.upstream import Timeouts, UpstreamRequest
from kyma.transport import HttpClient

OPENAI_LAYER = "/v1"
"""What a provider's address ends in, and Ollama's own API has not."""
LIMIT_BYTES = 8 * 1024 * 1024
WITHIN_S = 10.0
MAX_MODELS = 500
USUAL_CONTEXT = 4096
"""The window of a model that does not tell its own: Ollama's default."""
EPOCH = date(1970, 1, 1)
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class OllamaModel(msgspec.Struct, frozen=True):
    """A model as its server knows it: `name` with its tag and in its own case. `size` is e.g. `3.2B`, or empty."""

    name: str
    kind: Kind
    family: str
    size: str
    modified_on: date
    context_window: int
    capabilities: frozenset[str]


class OllamaServer:
    """One server; what it said of a model is remembered for as long as the model is the same."""

    def __init__(self, client: HttpClient, provider: Provider, api_key: str | None) -> None:
        self.provider = provider
        self._client = client
        self._headers = ((b"authorization", b"Bearer " + api_key.encode()),) if api_key else ()
        self._known: dict[tuple[str, str], OllamaModel | None] = {}

    async def fetch_models(self) -> tuple[OllamaModel, ...]:
        """What it can serve now, by name. Raises: UpstreamError when it cannot be asked."""
        tags = parse_tags(await self._fetch("GET", "/api/tags"))
        known = {}
        for tag in tags:
            key = (tag.name, tag.digest)
            known[key] = self._known[key] if key in self._known else await self._fetch_model(tag)
        self._known = known
        return tuple(model for model in known.values() if model is not None)

    async def _fetch_model(self, tag: "Tag") -> OllamaModel | None:
        body = msgspec.json.encode({"model": tag.name})
        try:
            return parse_show(tag, await self._fetch("POST", "/api/show", body))
        except Unreachable:
            raise
        except UpstreamError:  # it went between the two questions, or is broken: the others are not
            return None

    async def _fetch(self, method: str, target: str, body: bytes = b"") -> bytes:
        provider = self.provider
        base_path = provider.base_path.removesuffix(OPENAI_LAYER)
        headers = (*self._headers, (b"content-type", b"application/json")) if body else self._headers
        timeouts = Timeouts(first_byte_s=WITHIN_S, idle_s=WITHIN_S)
        request = UpstreamRequest(method, provider.origin, base_path + target, headers, body, timeouts)
        return await self._client.fetch_free(request, limit_bytes=LIMIT_BYTES, within_s=WITHIN_S)


class Details(msgspec.Struct, frozen=True):
    family: str = ""
    parameter_size: str = ""


class Tag(msgspec.Struct, frozen=True):
    """A row of `GET /api/tags`. One with a remote host is Ollama's cloud, under a local name."""

    name: str
    digest: str = ""
    modified_at: str = ""
    details: Details = Details()
    remote_host: str = ""


class _Tags(msgspec.Struct, frozen=True):
    models: list[Tag] | None = None


class _Show(msgspec.Struct, frozen=True):
    parameters: str = ""
    capabilities: list[str] | None = None
    model_info: dict[str, msgspec.Raw] | None = None


_tags_decoder = msgspec.json.Decoder(_Tags)
_show_decoder = msgspec.json.Decoder(_Show)
_text_decoder = msgspec.json.Decoder(str)
_count_decoder = msgspec.json.Decoder(int)


def parse_tags(body: bytes) -> list[Tag]:
    """The models that run on the server itself, by name. Raises: Garbled."""
    try:
        found = _tags_decoder.decode(body).models or []
    except UNREADABLE as error:
        raise Garbled("The list of models is not Ollama's.") from error
    own = (tag for tag in found if tag.name and tag.name.isprintable() and not tag.remote_host)
    return sorted(own, key=lambda tag: tag.name)[:MAX_MODELS]


def parse_show(tag: Tag, body: bytes) -> OllamaModel | None:
    """What `POST /api/show` says of a model; None for one that neither chats nor embeds. Raises: Garbled."""
    try:
        show = _show_decoder.decode(body)
        info = show.model_info or {}
        window = _context_window(show.parameters, info)
    except UNREADABLE as error:
        raise Garbled("The description of a model is not Ollama's.") from error
    capabilities = frozenset(show.capabilities if show.capabilities is not None else _guessed(info))
    kind: Kind | None = "chat" if "completion" in capabilities else "embedding" if "embedding" in capabilities else None
    if kind is None:
        return None
    day = _DAY.match(tag.modified_at)
    return OllamaModel(tag.name, kind, tag.details.family, tag.details.parameter_size, _day(day), window, capabilities)


def _context_window(parameters: str, info: Mapping[str, msgspec.Raw]) -> int:
    """What the model is run with if that is set, else the most that it was made for."""
    if set_to := _NUM_CTX.search(parameters):
        return max(1, int(set_to[1]))
    architecture = _text_decoder.decode(info["general.architecture"]) if "general.architecture" in info else ""
    length = info.get(f"{architecture}.context_length")
    return max(1, _count_decoder.decode(length)) if length is not None else USUAL_CONTEXT


def _guessed(info: Mapping[str, msgspec.Raw]) -> list[str]:
    """For servers from before capabilities were told, by the same sign as Ollama's own."""
    return ["embedding" if any(name.endswith(".pooling_type") for name in info) else "completion"]


def _day(found: re.Match[str] | None) -> date:
    try:
        return date.fromisoformat(found[0]) if found else EPOCH
    except ValueError:
        return EPOCH
