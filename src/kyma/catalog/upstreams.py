"""Which providers are on here, and where they are. Never puts an address or a secret into a message."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from kyma.catalog.google import VERTEX_ENDPOINT, vertex_endpoint
from kyma.catalog.rows import ProviderRow
from kyma.catalog.sheets import CatalogError, quirks_of
from kyma.core.model import Provider
from kyma.core.upstream import Origin, Timeouts

VARIABLE = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
"""A part of an address that only the operator knows: an account, a project, a region."""

AWS_PAIR = "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY"
"""What serves in place of an API key where requests can be signed."""

DERIVED: Mapping[str, Callable[[Mapping[str, str]], str | None]] = {VERTEX_ENDPOINT: vertex_endpoint}
"""Variables that have a value from others while the operator sets none."""

EMBEDDED = frozenset(("local", "local-embed"))
"""Providers whose address is an embedded engine's: known only once its process listens."""

REPLICA = re.compile(r"(local|local-embed)-[0-9]+")
"""Ids of further processes of an embedded engine; they share its row."""


def sources(provider_id: str, there: Iterable[str]) -> list[str]:
    """Those of `there` that are this provider, or replicas of it if it is embedded, in their order."""
    return [name for name in there if name == provider_id or _replicated(name) == provider_id]


def provider_if_on(
    provider_id: str,
    row: ProviderRow,
    environment: Mapping[str, str],
    engines: Mapping[str, str],
    is_keyed: bool = False,
) -> Provider | None:
    """The provider, or None while its key or its address is missing. Raises: CatalogError for a wrong row.

    A replica is one by an id of its own; where it is, `engines` says.
    """
    quirks = quirks_of(row.where, row.quirks)
    base_url, place = _address(provider_id, row, environment, engines)
    has_key = is_keyed or row.is_local or row.auth == "google" or bool(row.key_env and environment.get(row.key_env))
    if not (base_url and has_key):
        return None
    origin, base_path = parse_base_url(base_url, place)
    return Provider(
        id=provider_id,
        name=row.name,
        dialect=row.dialect,
        origin=origin,
        base_path=base_path,
        key_env=row.key_env,
        key_header=row.key_header,
        headers=tuple(_headers(row)),
        quirks=quirks,
        timeouts=Timeouts(connect_s=row.connect_s, first_byte_s=row.first_byte_s, idle_s=row.idle_s),
        is_local=row.is_local,
        cancel_stops_billing=row.cancel_stops_billing,
        source=row.source,
        auth=row.auth,
        data_policy=row.data_policy,
        first_token_s=row.first_token_s,
        discovery=row.discovery,
        private=_private(row, environment),
    )


def _replicated(name: str) -> str | None:
    found = REPLICA.fullmatch(name)
    return found[1] if found else None


def switch_of(row: ProviderRow) -> str:
    """What an operator sets or runs to switch a provider on."""
    if row.base_url and (named := VARIABLE.findall(row.base_url)):
        needed = [name for name in dict.fromkeys(named) if name not in DERIVED]
        key = f"({row.key_env} or {AWS_PAIR})" if row.auth == "aws" else row.key_env
        return " and ".join([*needed, *([key] if key else [])])
    return row.base_url_env or row.key_env or row.switch or "kyma local install"


def parse_base_url(base_url: str, place: str) -> tuple[Origin, str]:
    """`http://127.0.0.1:9/v1` -> its origin and `/v1`. Raises: CatalogError naming `place`, not the address."""
    problem = CatalogError(f"{place} is not an http(s) address without user name, query or fragment")
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise problem from None
    has_more = "@" in parts.netloc or "?" in base_url or "#" in base_url
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or has_more:
        raise problem
    if not all("!" <= char <= "~" for char in base_url):
        raise problem
    is_tls = parts.scheme == "https"
    return Origin(parts.hostname, port or (443 if is_tls else 80), is_tls), parts.path.rstrip("/")


def _headers(row: ProviderRow) -> Iterator[tuple[bytes, bytes]]:
    for name, value in row.headers.items():
        if not (name.isascii() and name.replace("-", "").isalnum() and value.isascii() and value.isprintable()):
            raise CatalogError(f"{row.where}: headers: {name!r} is no header of printable ASCII")
        yield name.lower().encode(), value.encode()


def _address(
    provider_id: str, row: ProviderRow, environment: Mapping[str, str], engines: Mapping[str, str]
) -> tuple[str | None, str]:
    if provider_id in EMBEDDED or REPLICA.fullmatch(provider_id):
        return engines.get(provider_id), "the embedded engine's address"
    if (row.base_url is None) == (row.base_url_env is None):
        raise CatalogError(f"{row.where}: exactly one of base_url and base_url_env is needed")
    if row.key_env is None and not row.is_local and row.auth != "google":
        raise CatalogError(f"{row.where}: key_env is needed, or is_local for a server of your own without a key")
    if row.base_url_env is not None:
        return environment.get(row.base_url_env), row.base_url_env
    return _filled(row.base_url or "", environment), f"{row.where}: base_url"


def _filled(template: str, environment: Mapping[str, str]) -> str | None:
    """The address with its variables' values, or None while one of them is missing."""
    values = {name: environment.get(name) or _derived(name, environment) for name in VARIABLE.findall(template)}
    if not all(values.values()):
        return None
    return VARIABLE.sub(lambda found: str(values[found[1]]), template)


def _private(row: ProviderRow, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the operator filled in. A plain short word is left out: `global` may stand in any message."""
    named = [name for name in VARIABLE.findall(row.base_url or "") if name not in DERIVED]
    values = dict.fromkeys(environment.get(name, "") for name in named)
    return tuple(value for value in values if len(value) > 2 and (len(value) > 6 or not value.isalpha()))


def _derived(name: str, environment: Mapping[str, str]) -> str | None:
    return DERIVED[name](environment) if name in DERIVED else None
