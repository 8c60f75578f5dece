"""A caller's wishes about sources, applied to their order. Pure."""

from collections.abc import Callable, Sequence

from kyma.core.model import Provider
from kyma.core.preferences import Preferences, Sort
from kyma.routing.health import Entry
from kyma.routing.weights import blended

NEVER_SEEN = float("inf")


def wished(entries: Sequence[Entry], preferences: Preferences) -> list[Entry]:
    """Those that may be asked, in the order wished for; what the caller says nothing of stays as it was."""
    found = [entry for entry in entries if may_serve(entry.route.provider, preferences)]
    if preferences.sort is not None:
        found.sort(key=MEASURES[preferences.sort])
    if preferences.order:
        rank = {provider_id: place for place, provider_id in enumerate(preferences.order)}
        found.sort(key=lambda entry: rank.get(entry.route.provider.id, len(rank)))
    return found


def may_serve(provider: Provider, preferences: Preferences) -> bool:
    """Whether the caller's wishes leave it in."""
    if preferences.order and not preferences.allow_fallbacks and provider.id not in preferences.order:
        return False
    if preferences.only and provider.id not in preferences.only:
        return False
    if preferences.denies_data_collection and not (provider.is_local or provider.data_policy.collects_nothing):
        return False
    return provider.id not in preferences.ignore


def _price(entry: Entry) -> float:
    return blended(entry.route.cost)


def _latency(entry: Entry) -> float:
    return NEVER_SEEN if entry.source.p50_ms is None else entry.source.p50_ms


def _slowness(entry: Entry) -> float:
    return NEVER_SEEN if entry.source.tokens_per_s is None else -entry.source.tokens_per_s


MEASURES: dict[Sort, Callable[[Entry], float]] = {"price": _price, "latency": _latency, "throughput": _slowness}
"""What each order goes by, the least first; a source that nothing is known of comes last."""
