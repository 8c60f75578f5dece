from pathlib import Path

import pytest

from tests.local_model import installed_gguf


@pytest.fixture(scope="session")
def gguf() -> Path:
    return installed_gguf()
