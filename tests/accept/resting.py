"""Random lives of a vault: which keys rest, for how long, and what is said about it."""

import logging
from collections.abc import Sequence

import msgspec

from kyma.core.credential import Credential
from kyma.core.errors import RefusedUs, Throttled
from kyma.credentials import Vault
from tests.accept.given_keys import Secrets
from tests.accept.suite import Run
from tests.clock import ManualClock

PROVIDERS, KEYS = ("acme", "bolt"), 4
PARKED_S, LONGEST_S = 300.0, 60.0


class Rested(msgspec.Struct):
    """What went wrong, by figure; `parked` refusals were there to be warned of."""

    wrongly: list[str] = []
    used: list[str] = []
    warnings: list[str] = []
    told: list[str] = []
    parked: int = 0


class _Ear(logging.Handler):
    """Everything that is logged, in words and with its arguments."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.levelname} {record.getMessage()} {record.args!r}")


def live(run: Run, secrets: Secrets, steps: int) -> Rested:
    """Keys fail at random; a plain book of who has to rest until when is kept beside."""
    dice, clock, found, ear = run.dice("vault"), ManualClock(), Rested(), _Ear()
    vault = Vault(clock)
    vault.replace({name: [secrets.key("ours", dice) for _ in range(KEYS)] for name in PROVIDERS})
    vault.put_minted("minted", secrets.key("ours", dice))
    log = logging.getLogger("kyma.credentials")
    log.addHandler(ear)
    log.setLevel(logging.DEBUG)
    book: dict[str, float] = {}
    for _ in range(steps):
        clock.advance(dice.choice((0.1, 3.0, 40.0)))
        name = dice.choice((*PROVIDERS, "minted"))
        usable = vault.usable(name, "acct")
        _compare(vault, name, usable, book, clock.monotonic(), found)
        if usable:
            _fail(
                vault,
                dice.choice(usable),
                dice.choice((401, 402, 403, 429, 529)),
                dice.choice((None, 7, 900)),
                book,
                clock,
                found,
            )
    log.removeHandler(ear)
    found.told = secrets.found_in("logged", [line.encode() for line in ear.heard])
    found.told += secrets.found_in("states", [repr(vault.states()).encode(), repr(vault.usable("acme", "a")).encode()])
    found.warnings = [line for line in ear.heard if line.startswith("WARNING")]
    return found


def _compare(
    vault: Vault, name: str, usable: Sequence[Credential], book: dict[str, float], now: float, found: Rested
) -> None:
    ids = {credential.id for credential in usable}
    for state in vault.states():
        if state.provider_id == name:
            rests = book.get(state.id, 0.0) > now
            found.wrongly += [state.id] if not rests and state.id not in ids else []
            found.used += [state.id] if rests and state.id in ids else []


def _fail(
    vault: Vault,
    key: Credential,
    status: int,
    wait_s: int | None,
    book: dict[str, float],
    clock: ManualClock,
    found: Rested,
) -> None:
    said = f"HTTP {status}"
    if status in (429, 529):
        vault.failed(key, Throttled(said, upstream_status=status, retry_after_s=wait_s))
        rest_s = min(LONGEST_S, wait_s or 1.0)
    else:
        vault.failed(key, RefusedUs(said, upstream_status=status))
        rest_s, found.parked = PARKED_S, found.parked + 1
    book[key.id] = clock.monotonic() + rest_s
