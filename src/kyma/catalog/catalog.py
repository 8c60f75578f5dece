"""The snapshot that requests read: models, aliases, tiers and prices, all in memory and never changed.

Resolving a name that is spelt as offered is one dict lookup. Messages for customers name models and, where nothing can
serve one, what an operator could set; never an address, a secret or a provider in use.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from kyma.catalog.auto import AUTO, AUTO_NAMES, Choice, Needs, Rule, choose
from kyma.catalog.names import closest
from kyma.catalog.substitutes import substitute_for
from kyma.core.errors import InvalidRequest, NotFound, RequestError
from kyma.core.media import MediaModel, Sku
from kyma.core.model import Alternative, Model, Price, Provider
from kyma.core.money import NANOS_PER_USD, Nanos
from kyma.core.preferences import Preferences
from kyma.core.principal import Tier
from kyma.core.rates import Rate

_NAME_SHOWN = 80
_LONGEST_NAME = 256


class Resolved(msgspec.Struct, frozen=True):
    """A servable model, the alias it was asked by, and what the alias says about who is to serve it.

    `auto_reason` is there if the name was `auto`: why this model. Before the request was looked at it is the model for
    one that needs nothing.
    """

    model: Model
    alias: str | None
    preferences: Preferences | None = None
    auto_reason: str = ""


class AskedElsewhere(InvalidRequest):
    """A media SKU was named where texts are asked for."""

    def __init__(self, model: MediaModel) -> None:
        super().__init__(
            f"{model.id} is no text model: ask it at POST {model.endpoint}", code="not_a_text_model", param="model"
        )
        self.model = model


class Entry(msgspec.Struct, frozen=True):
    """A known model: `prefixes` may stand before its id with a slash, `missing` would switch more sources on.

    `successor` is what to ask for once it is retired, as far as that is known.
    """

    model: Model
    prefixes: tuple[str, ...]
    missing: tuple[str, ...]
    successor: str | None = None


class Catalog:
    """An immutable snapshot; a reload replaces the reference."""

    def __init__(
        self,
        *,
        entries: Mapping[str, Entry],
        aliases: Mapping[str, tuple[str, ...]],
        providers: Mapping[str, Provider],
        tiers: tuple[Tier, ...],
        warnings: tuple[str, ...],
        suffixes: Mapping[str, Preferences],
        provider_names: Mapping[str, tuple[str, ...]],
        rules: tuple[Rule, ...],
        media: Mapping[str, MediaModel],
        vendors: frozenset[str],
    ) -> None:
        """`aliases` give their targets in order of preference; `tiers` are in order from 0, their deposits rising.

        `provider_names` are all the names that callers may know a provider by, with the ids of who is meant. `vendors`
        are those whose key is here, providers among them. Of the `rules` of `auto` the last holds for every request.
        """
        self._entries = dict(entries)
        self._alias_targets = dict(aliases)
        self._suffixes = dict(suffixes)
        self._provider_names = dict(provider_names)
        self._known = {
            name: model_id for model_id, entry in entries.items() for name in _spellings(model_id, entry.prefixes)
        }
        self._media_known = {name: sku for sku in media.values() for name in _spellings(sku.id, sku.prefixes)}
        self.models: Mapping[str, Model] = MappingProxyType({key: entry.model for key, entry in entries.items()})
        self._rules = rules
        self._offered = tuple(entry.model for entry in entries.values() if entry.model.routes)
        self._resolved = dict(self._servable_names())
        stars = (alias for alias in self._resolved if alias.endswith("*"))
        self._stars = sorted(stars, key=len, reverse=True)
        self.providers: Mapping[str, Provider] = MappingProxyType(dict(providers))
        self.aliases: Mapping[str, str] = MappingProxyType(
            {alias: found.model.id for alias in (*aliases, AUTO) if (found := self._resolved.get(alias))}
        )
        self.first_targets: Mapping[str, str] = MappingProxyType(
            {alias: targets[0] for alias, targets in aliases.items() if targets}
        )
        """Every alias with what it stands for where that can be served, be it here or not."""
        self._substitutes = {key: tuple(self._substitutes_of(entry.model)) for key, entry in entries.items()}
        self.media: Mapping[str, MediaModel] = MappingProxyType(dict(media))
        self.vendors = vendors
        self.tiers = tiers
        self.warnings = warnings
        self._price_book = _price_book(self.models, self.media)
        self.price_version = hashlib.sha256(self._price_book.encode()).hexdigest()[:16]

    def resolve(self, name: str) -> Resolved:
        """The model that `name` stands for: an id or an alias, in any case, a creator's prefix allowed.

        An alias whose first target cannot be served here gives the next that can; one that ends in a star stands for
        all names that begin so and are no model, the longest first. A suffix may stand behind any of them: the alias is
        then both together. Raises: NotFound, with code `model_not_found` and the three closest names, or
        `model_not_available` and what would make it servable; AskedElsewhere for a media SKU.
        """
        if found := self._resolved.get(name):
            return found
        wanted = name.lower()
        if found := self._resolved.get(wanted):
            return found
        base, colon, word = wanted.rpartition(":")
        is_whole = wanted in self._known or wanted in self._alias_targets
        preferences = None if is_whole else self._suffixes.get(colon + word)
        if preferences is None:
            if found := self._starred(wanted):
                return found
            raise self._not_found(name)
        if found := self._resolved.get(base) or self._starred(base):
            alias = f"{found.alias or base}{colon}{word}"
            return Resolved(found.model, alias, preferences, found.auto_reason)
        raise self._not_found(base)

    def find(self, name: str) -> Sku:
        """The SKU that `name` stands for, text or media, whether or not it can be served here; spelt as for `resolve`.

        An alias none of whose targets can be served stands for its first. Raises: NotFound.
        """
        wanted = name.lower()
        if (model_id := self._known.get(wanted)) is not None:
            return self.models[model_id]
        if (sku := self.media_named(wanted)) is not None:
            return sku
        if wanted in self.first_targets and wanted not in self._resolved:
            return self.find(self.first_targets[wanted])
        return self.resolve(name).model

    def media_named(self, name: str) -> MediaModel | None:
        """The media SKU that `name` stands for: an id, a creator's prefix allowed, or an alias; in any case."""
        wanted = name.lower()
        first = next(iter(self._alias_targets.get(wanted, ())), "")
        return self._media_known.get(wanted) or self.media.get(first)

    def auto(self, needs: Needs) -> Choice:
        """Whom `auto` may pick for a request with such needs, be they servable here or not, the best first."""
        return choose(self._rules, needs, self.models)

    def substitutes(self, model_id: str) -> tuple[Alternative, ...]:
        """Models that may answer in its place at no higher price, in order, with the sources that can do so here.

        Raises: KeyError for an unknown id.
        """
        return self._substitutes[model_id]

    def provider_ids(self, names: Iterable[str]) -> tuple[str, ...]:
        """The providers that are meant, in order; a name in any case that nobody here has means none."""
        return tuple(dict.fromkeys(key for name in names for key in self._provider_names.get(name.lower(), ())))

    def offered(self) -> tuple[Model, ...]:
        """Models that a provider here can serve now, by id."""
        return self._offered

    def all(self) -> tuple[Model, ...]:
        """Every known model by id, servable or not."""
        return tuple(self.models.values())

    def missing(self, model_id: str) -> tuple[str, ...]:
        """What an operator could set or run to give the model another source; any one is enough for it to be served.

        Raises: KeyError for an unknown id.
        """
        if made := self.media.get(model_id):
            return tuple(dict.fromkeys(route.switch for route in made.routes))
        return self._entries[model_id].missing

    def tier(self, number: int) -> Tier:
        """Raises: LookupError for a number that is no tier."""
        if not 0 <= number < len(self.tiers):
            raise LookupError(f"there is no tier {number}")
        return self.tiers[number]

    def tier_for_deposit(self, deposit: Nanos) -> Tier:
        """The highest tier that a lifetime deposit reaches."""
        return next(
            tier for tier in reversed(self.tiers) if deposit >= tier.min_deposit_usd * NANOS_PER_USD or not tier.tier
        )

    def price_book_json(self) -> str:
        """Every list price in pico-dollars a unit, by SKU; `price_version` is this text's hash."""
        return self._price_book

    def _servable_names(self) -> Iterator[tuple[str, Resolved]]:
        servable = {model.id: model for model in self._offered}
        for name, model_id in self._known.items():
            if model_id in servable:
                yield name, Resolved(servable[model_id], None)
        for alias, targets in self._alias_targets.items():
            target = next((servable[target] for target in targets if target in servable), None)
            if target is not None:
                yield alias, Resolved(target, alias)
        choice = self.auto(Needs())
        if (picked := next((model for model in choice.models if model.routes), None)) is not None:
            yield from ((name, Resolved(picked, AUTO, None, choice.reason)) for name in AUTO_NAMES)

    def _substitutes_of(self, asked: Model) -> Iterator[Alternative]:
        for name in asked.substitutes:
            if found := substitute_for(asked, self._entries[name].model):
                yield found

    def _starred(self, wanted: str) -> Resolved | None:
        """What an alias with a star stands for, unless the name is a model's, or nobody's: it is kept with the call."""
        if wanted in self._known or wanted in self._media_known:
            return None
        if len(wanted) > _LONGEST_NAME or not wanted.isprintable():
            return None
        return next((self._resolved[star] for star in self._stars if wanted.startswith(star[:-1])), None)

    def _not_found(self, name: str) -> RequestError:
        wanted = name.lower()
        if made := self.media_named(wanted):
            return AskedElsewhere(made)
        if model_id := self._known.get(wanted):
            return _not_available(model_id, self._entries[model_id])
        if wanted in self._alias_targets or wanted in AUTO_NAMES:
            return NotFound(
                f"No model behind the alias '{wanted}' is available here. GET /v1/models lists those that are.",
                code="model_not_available",
                param="model",
            )
        shown = name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}…"
        close = closest(wanted[:_NAME_SHOWN], self._names())
        return NotFound(
            f"There is no model '{shown}'. Closest names: {', '.join(close)}. GET /v1/models lists what is offered.",
            code="model_not_found",
            param="model",
        )

    def _names(self) -> dict[str, bool]:
        """Every name that may be meant, and whether what it stands for can be had."""
        texts = (*self._entries, *self._alias_targets, AUTO)
        names = {name: name in self._resolved for name in texts if not name.endswith("*")}
        return names | dict.fromkeys(self.media, False)  # there is no endpoint of theirs yet


def _spellings(sku_id: str, prefixes: Iterable[str]) -> Iterator[str]:
    yield sku_id
    yield from (f"{prefix}/{sku_id}" for prefix in prefixes)


def _not_available(model_id: str, entry: Entry) -> NotFound:
    if entry.model.status == "retired":
        message = f"The model '{model_id}' was retired on {entry.model.retires_on}."
        if entry.successor is not None:
            message += f" Ask for '{entry.successor}' in its place."
    elif entry.missing:
        message = (
            f"The model '{model_id}' has no source here. Any one of these would add one: {', '.join(entry.missing)}."
        )
    else:
        message = f"The model '{model_id}' has no source at its price."
    return NotFound(message, code="model_not_available", param="model")


def _price_book(models: Mapping[str, Model], media: Mapping[str, MediaModel]) -> str:
    book: dict[str, Price | Rate] = {model_id: model.price for model_id, model in models.items()}
    book |= {model_id: model.rate for model_id, model in media.items()}
    return msgspec.json.encode(book, order="sorted").decode()
