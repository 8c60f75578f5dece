"""Which program calls, as a short name made of the headers it sends.

What could tell who somebody is stays out: paths and queries of a referer, addresses of machines, e-mail addresses,
whatever looks like a key. A name is at most 48 of a to z, 0 to 9, space and `.+-/`, and begins with a letter or digit.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from kyma.core.ids import DAY_MS, Clock

MAX_NAME = 48
MAX_A_DAY = 100
"""Apps of an account that are told apart on one UTC day, by each gateway: sums are kept by them for good."""
OTHER = "other"
READ_BYTES = 512
HEADERS = (b"x-title", b"x-kyma-sdk", b"http-referer", b"referer", b"user-agent")
"""What is read, the first that yields a name decides: what a program calls itself, whose kit it uses, which site it
is, what it was built with."""

SEPARATED = re.compile(r"[\s_]+")
ODD = re.compile(r"[^a-z0-9 .+-]+")
ADDRESS = re.compile(r"\S*@\S*")
SECRET = re.compile(r"(?=\S*\d)[\w+-]{20,}")
PRODUCT = re.compile(r"([A-Za-z0-9][\w.+-]*)(?:/([A-Za-z]\w*))?")
HOST = re.compile(r"(?=.{1,48}$)[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*")

KNOWN = {
    "claude-cli": "claude-code",
    "codex-cli-rs": "codex",
    "codex-exec": "codex",
    "codex-tui": "codex",
    "geminicli": "gemini-cli",
    "mozilla": "browser",
    "google-genai-sdk": "google-genai",
}
"""What a User-Agent says of itself, and what the program is called."""


def app_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The calling program's name; empty when no header tells one. Names of headers are in lower case."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in HEADERS:
            found.setdefault(name, value)
    for name in HEADERS:
        if name in found and (app := _READERS[name](found[name][:READ_BYTES].decode("utf-8", "ignore"))):
            return app
    return ""


class Apps:
    """Bounds how many names an account can fill the sums with, since each call may bring a new one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._day = 0
        self._seen: dict[str, set[str]] = {}

    def counted_as(self, account_id: str, app: str) -> str:
        """The app itself; `other` once the account has come with `MAX_A_DAY` different ones today."""
        day = self._clock.now_ms() // DAY_MS
        if day != self._day:
            self._day = day
            self._seen.clear()
        seen = self._seen.setdefault(account_id, set())
        if app and app not in seen:
            if len(seen) >= MAX_A_DAY:
                return OTHER
            seen.add(app)
        return app


def _title(text: str) -> str:
    """The name itself; of an address its host, of a path nothing."""
    if "://" in text:
        return _host(text)
    return _clean(re.split(r"[/\\?#]", text)[0])


def _kit(text: str) -> str:
    """`python/0.1.0` is kyma-ai for Python."""
    language = _clean(text.partition("/")[0])
    return f"kyma-ai/{language}"[:MAX_NAME] if language else ""


def _host(text: str) -> str:
    """The site of an address, without `www.`; nothing for a machine's number or a name within a network."""
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    host = host.removeprefix("www.")
    return host if HOST.fullmatch(host) else ""


def _agent(text: str) -> str:
    """The first product of a User-Agent, without its version: `OpenAI/Python 1.2` is `openai-python`."""
    product = PRODUCT.match(ADDRESS.sub("", text).strip())
    if product is None:
        return ""
    name, language = product[1], product[2]
    if language:
        name = f"{name.removeprefix('Async')}-{language}"
    name = _clean(name).replace(" ", "-")
    return KNOWN.get(name, name)


_READERS = {b"x-title": _title, b"x-kyma-sdk": _kit, b"http-referer": _host, b"referer": _host, b"user-agent": _agent}


def _clean(text: str) -> str:
    plain = SECRET.sub("", ADDRESS.sub("", text)).lower()
    words = ODD.sub("", SEPARATED.sub(" ", plain)).split()
    return " ".join(words).lstrip(" .+-")[:MAX_NAME].rstrip()
