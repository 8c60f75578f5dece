"""The real demo model for tests: fetched once a machine, then shared by every test folder."""

import os
from pathlib import Path

from kyma.local import install


def installed_gguf() -> Path:
    """The verified GGUF in `KYMA_TEST_MODEL_DIR`, or in the user's cache; fetched the first time (98 MB)."""
    shared = os.environ.get("KYMA_TEST_MODEL_DIR")
    return install.install(Path(shared) if shared else Path.home() / ".cache" / "kyma-test-models", print)


def model_in(data_dir: Path) -> Path:
    """Make the model installed in a test's own data folder, by a link to the shared copy."""
    path = install.gguf_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(installed_gguf())
    return install.install(data_dir, print)
