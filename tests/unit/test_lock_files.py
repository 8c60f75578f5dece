"""Lock files name hashes and no host: what one machine installs, every machine installs, from wherever it fetches."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKED = [
    *(ROOT / "requirements" / f"{name}.txt" for name in ("uv", "serve", "dev", "agents")),
    *(ROOT / "src" / "kyma" / "local" / f"{name}.lock.txt" for name in ("model", "embed")),
]
SOURCES = sorted((ROOT / "requirements").glob("*.in"))
NODE_PINS, NODE_LOCK = (ROOT / "requirements" / "agents" / name for name in ("package.json", "package-lock.json"))
PIN = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9._-]*(\[[a-z,]+\])?==\S+")
HOSTED = ("uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock")


@pytest.mark.parametrize("path", [*LOCKED, *SOURCES, NODE_PINS, NODE_LOCK], ids=lambda path: path.name)
def test_no_host_is_named(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "index-url" not in text and "find-links" not in text and "@ file:" not in text


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    entries = path.read_text().replace("\\\n", " ").splitlines()
    wanted = [entry for entry in entries if entry.strip() and not entry.startswith("#")]
    assert wanted
    for entry in wanted:
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry


def test_every_node_package_is_pinned_with_its_hash() -> None:
    pins = json.loads(NODE_PINS.read_text())["dependencies"]
    (own, *packages) = json.loads(NODE_LOCK.read_text())["packages"].values()
    assert own["dependencies"] == pins
    assert all(re.fullmatch(r"[0-9.]+", version) for version in pins.values())
    own_hash = [package for package in packages if not package.get("inBundle")]  # others lie inside one that has
    assert all(package["version"] and package["integrity"].startswith("sha512-") for package in own_hash)


def test_no_lock_file_of_the_kind_that_names_hosts_is_there() -> None:
    assert [name for name in HOSTED if (ROOT / name).exists()] == []


def test_no_package_index_is_configured() -> None:
    for name in ("pyproject.toml", "Makefile"):
        text = (ROOT / name).read_text()
        assert "index-url" not in text and "[[tool.uv.index]]" not in text, name
    assert [name for name in ("uv.toml", "pip.conf", ".pypirc") if (ROOT / name).exists()] == []


def test_what_serves_is_part_of_what_develops() -> None:
    """The development set is installed on top of the serving one, so it must not move a version."""
    serve, develop = (_pins(ROOT / "requirements" / f"{name}.txt") for name in ("serve", "dev"))
    assert serve.items() <= develop.items()


def _pins(path: Path) -> dict[str, str]:
    lines = (line.split("==", 1) for line in path.read_text().splitlines() if PIN.match(line))
    return {name: rest.split()[0] for name, rest in lines}
