"""The real local models for tests: fetched once a machine, then shared by every test folder."""

import os
from pathlib import Path

from kyma.local import embed_install, install


def installed_gguf() -> Path:
    """The verified GGUF in `KYMA_TEST_MODEL_DIR`, or in the user's cache; fetched the first time (98 MB)."""
    return install.install(_shared_dir(), print)


def installed_embedding_model() -> embed_install.EmbeddingFiles:
    """The verified files of the embedding model, in the same folder; fetched the first time (20 MB)."""
    return embed_install.install(_shared_dir(), print)


def model_in(data_dir: Path) -> Path:
    """Make the model installed in a test's own data folder, by a link to the shared copy."""
    path = install.gguf_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(installed_gguf())
    return install.install(data_dir, print)


def embedding_model_in(data_dir: Path) -> None:
    """The same for the embedding model."""
    files = embed_install.embedding_files(data_dir)
    files.model.parent.mkdir(parents=True, exist_ok=True)
    shared = installed_embedding_model()
    files.model.symlink_to(shared.model)
    files.tokenizer.symlink_to(shared.tokenizer)
    embed_install.install(data_dir, print)


def _shared_dir() -> Path:
    shared = os.environ.get("KYMA_TEST_MODEL_DIR")
    return Path(shared) if shared else Path.home() / ".cache" / "kyma-test-models"
