"""The master keys of this gateway: from `KYMA_MASTER_KEY`, or made once in the data folder of an embedded one.

They are read anew whenever they are needed, so a running gateway follows a rotation.
"""

import os
from pathlib import Path

from kyma.config import Config, ConfigError
from kyma.credentials.sealing import Masters, mint_master
from kyma.gateway.opening import is_embedded, made_once, make_data_dir

VARIABLE = "KYMA_MASTER_KEY"
FILE = "master.key"


def read_masters(config: Config) -> Masters | None:
    """The master keys; None on Postgres without the variable, where no one place could keep them for all.

    Raises: ConfigError, which does not quote them.
    """
    text = config.secret(VARIABLE)
    if text is None:
        if not is_embedded(config):
            return None
        text = made_once(config, FILE, mint_master)
    try:
        return Masters.parse(text)
    except ValueError as error:
        raise ConfigError(f"{VARIABLE}: {error}") from None


def add_master(config: Config) -> bool:
    """Put a new master key before those of the data folder; False where the variable has them, which is not ours."""
    if config.secret(VARIABLE) is not None or not is_embedded(config):
        return False
    _write(config, [mint_master(), *made_once(config, FILE, mint_master).split()])
    return True


def drop_old_masters(config: Config) -> None:
    """Keep the first master key of the data folder only: nothing is sealed under the others any more."""
    _write(config, made_once(config, FILE, mint_master).split()[:1])


def _write(config: Config, keys: list[str]) -> None:
    """All of it or nothing, for its owner's eyes only."""
    folder: Path = make_data_dir(config)
    fresh = folder / f"{FILE}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(keys))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / FILE)
