"""The scripted gateway's catalog: one model for each thing an upstream can do wrong.

Each failing source has a provider of its own, since a provider that refuses our key is left alone for minutes. Their
names, ids and addresses are words that no customer may ever read.
"""

from collections.abc import Mapping, Sequence

from tests.gateway_catalog import PROVIDER_KEY, ModelSpec, ProviderSpec, RouteSpec
from tests.upstream.aws_signature import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.upstream.process import UpstreamProcess

VENDOR = "zebrafish"
SHORT = {"first_byte_s": 0.4, "idle_s": 0.4}
"""Timeouts of a provider that is known to be slow."""

FAILURES: Mapping[str, str] = {
    "cut-before": "script:cut-before",
    "reset-before": "script:cut-before:mode=rst",
    "cut-at-once": "script:cut:k=0",
    "throttled": "script:429:s=7",
    "failed-500": "script:status:code=500",
    "failed-503": "script:status:code=503",
    "retired-404": "script:status:code=404",
    "refused-401": "script:status:code=401",
    "refused-402": "script:status:code=402",
    "refused-403": "script:status:code=403",
    "html-500": "script:status:code=500,body=html",
    "html-200": "script:html-200",
    "garbage": "script:garbage-chunk:k=0",
    "error-in-200": "script:error-in-stream:k=0",
    "empty-body": "script:empty:body=none",
    "hang": "script:hang",
}
"""What fails before the first byte of an answer, streamed or not."""

CUTS: Mapping[str, str] = {
    "cut-late": "script:cut:k=3",
    "reset-late": "script:cut:k=3,mode=rst",
    "garbage-late": "script:garbage-chunk:k=3",
    "error-late": "script:error-in-stream:k=3",
}
"""What breaks a stream after three tokens; a whole answer fails."""

ALIASES = """
[nickname]
targets = ["llama-3.3-70b", "good"]
source = "tests"

[stand-in]
targets = ["after-failed-500"]
source = "tests"
"""

STRANGE_USAGES = ("negative-usage", "huge-usage", "float-usage", "string-usage", "no-usage")

GOOD: Mapping[str, str] = {
    "good": "script:ok",
    "other": "script:ok:tokens=4",
    "long": "script:ok:tokens=600",
    "echo": "script:echo",
    "slow": "script:slow-first-byte:s=0.3",
    "slow-head": "script:slow-first-byte:s=1.5,head=1",
    "chatty": "script:keepalive-comments",
    "empty": "script:empty",
    "tools": "script:tools:parallel=2",
    "think": "script:think",
    "think-tags": "script:think:tags=1",
    "repeated-usage": "script:repeated-usage",
    "false-name": "script:wrong-content-type",
    "endless": "script:paced:interval_ms=20,events=0",
    **{name: f"script:{name}" for name in STRANGE_USAGES},
}


GOOD_WHOLE: Mapping[str, str] = {
    "good": "script:ok",
    "empty": "script:empty",
    **{name: f"script:{name}" for name in STRANGE_USAGES},
}
EMBEDS: dict[str, object] = {"kind": "embedding", "supports": []}
SOLD_BY_SEARCH: dict[str, object] = {
    "kind": "rerank",
    "supports": [],
    "list_price": {"input": "0", "search": "2.7", "source": "tests"},
}
SEARCH_COST: dict[str, object] = {"input": "0", "output": "0", "search": "2"}
JUDGES: dict[str, object] = {"kind": "moderation", "supports": []}
FREE_ROUTE = RouteSpec(f"{VENDOR}-good", "script:ok", {"input": "0", "output": "0"})
SEES: dict[str, object] = {"supports": ["vision"], "image_tokens": 1000}


def providers(upstream: UpstreamProcess) -> list[ProviderSpec]:
    """A provider for every good model together, and one for every failure."""
    slow = {"hang": SHORT, "after-hang": SHORT}
    failing = [name for model in FAILURES for name in (model, f"after-{model}")]
    names = ["good", "third", *failing, *CUTS, "rejected", "spare"]
    return [ProviderSpec(f"{VENDOR}-{name}", upstream.base_url, slow.get(name, {})) for name in names]


def models() -> list[ModelSpec]:
    """Every model: the good, the failing, and the failing with another source behind."""
    rescue = _route("spare", "script:ok")
    return [
        *(ModelSpec(name, [_route("good", script)]) for name, script in GOOD.items()),
        *(ModelSpec(name, [_route(name, script)]) for name, script in {**FAILURES, **CUTS}.items()),
        *(ModelSpec(f"after-{name}", [_route(f"after-{name}", script), rescue]) for name, script in FAILURES.items()),
        ModelSpec("after-empty", [_route("good", "script:empty"), rescue]),
        ModelSpec("third", [_route("third", "script:status"), _route("third", "script:html-200"), rescue]),
        ModelSpec("rejected", [_route("rejected", "script:no-such-script"), _route("spare", "script:ok:word=never")]),
        ModelSpec("dear", [_route("good", "script:ok:tokens=100000")], input="10", output="1000"),
    ]


KINDS: Sequence[str] = ("embedding", "rerank", "moderation")
"""Kinds of models that answer whole. Each has `good-<kind>` and a model for everything that can go wrong."""


def whole_models() -> list[ModelSpec]:
    """Models that do not chat: good, failing, rescued, counting nonsense, and some with a habit of their own.

    `draining-embedding` costs half a dollar a request, which is an account's sign-up credit.
    """
    rescue = _route("spare", "script:ok")
    made = [
        ModelSpec(f"{name}-{kind}", routes, fields={"kind": kind, "supports": []})
        for kind in KINDS
        for name, routes in (
            *((name, [_route("good", script)]) for name, script in GOOD_WHOLE.items()),
            *((name, [_route(name, script)]) for name, script in FAILURES.items()),
            *((f"after-{name}", [_route(f"after-{name}", script), rescue]) for name, script in FAILURES.items()),
            ("after-empty", [_route("good", "script:empty"), rescue]),
            ("rejected", [_route("rejected", "script:no-such-script"), rescue]),
        )
    ]
    drops: dict[str, object] = {"quirks": {"drop": ["dimensions", "user", "encoding_format"]}}
    made += [
        ModelSpec("ids-embedding", [_route("good", "script:ok")], fields={**EMBEDS, "supports": ["token_ids"]}),
        ModelSpec("draining-embedding", [_route("good", "script:huge-usage:n=50")], input="10000", fields=EMBEDS),
        ModelSpec("dear-embedding", [_route("good", "script:ok")], input="10000", fields=EMBEDS),
        ModelSpec("dropping-embedding", [_route("good", "script:ok")], fields=EMBEDS | drops),
        ModelSpec("seeing-moderation", [_route("good", "script:ok")], fields=JUDGES | SEES),
        ModelSpec("cohere-embedding", [_route("good-cohere", "script:ok")], fields=EMBEDS),
        *(
            ModelSpec(
                f"{name}-searched", [RouteSpec(f"{VENDOR}-good-cohere", script, SEARCH_COST)], fields=SOLD_BY_SEARCH
            )
            for name, script in GOOD_WHOLE.items()
        ),
        ModelSpec("free-moderation", [FREE_ROUTE], input="0", output="0", fields=JUDGES | {"is_free": True}),
    ]
    return made


def forbidden(upstream: UpstreamProcess) -> Sequence[bytes]:
    """What no customer may read: who serves, where, under which name and key."""
    keys = (PROVIDER_KEY, ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    return (VENDOR.encode(), b"script:", *(key.encode() for key in keys), f":{upstream.port}".encode())


def _route(provider: str, script: str) -> RouteSpec:
    return RouteSpec(f"{VENDOR}-{provider}", script)
