"""What a gateway keeps and shows: its folder, its place in the machine, and what it tells another customer."""

import json
import os
import re
import resource
import signal
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import msgspec

from tests.accept.marks import Hit, Marks, search, search_folder
from tests.gateway_process import GatewayProcess

WRITING = os.O_WRONLY | os.O_RDWR
NO_FILES = ("/dev/", "/proc/", "/memfd:", "pipe:", "socket:", "anon_inode:")
OPEN_FLAGS = re.compile(r"^flags:\s+(\d+)", re.MULTILINE)
CORE_LIMIT = re.compile(r"^Max core file size +(\S+) ", re.MULTILINE)


class Kept(msgspec.Struct):
    """What was found, by figure."""

    missed: list[str] = []
    hits: list[str] = []
    shown: list[str] = []
    elsewhere: list[str] = []
    cores: list[str] = []
    unvisited: list[str] = []
    unanswered: list[str] = []
    bugs: list[str] = []
    unmarked: list[str] = []
    requests: int = 0
    answered: int = 0
    spooled: int = 0
    searched_bytes: int = 0


def within(folder: Path) -> dict[str, str]:
    """Environment by which everything that a process keeps lies below that folder; makes what is missing."""
    places = {name: folder / name.lower() for name in ("TMPDIR", "HOME", "XDG_CACHE_HOME")}
    for place in places.values():
        place.mkdir(parents=True)
    return {name: str(place) for name, place in places.items()}


def allow_core_files() -> None:
    """There is room for a core file, unless a gateway sees to it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def crash(gateway: GatewayProcess) -> None:
    """Abort it, and let a core file be written to its end if one is."""
    os.kill(gateway.pid, signal.SIGABRT)
    os.waitid(os.P_PID, gateway.pid, os.WEXITED | os.WNOWAIT)
    gateway.kill()


def look_everywhere(marks: Marks, control: Marks, folder: Path, moment: str, found: Kept) -> None:
    """Search all of the gateway's folder; what stands there on purpose must be found, or the search is blind."""
    found.hits += [f"{moment}: {hit}" for hit in search_folder(marks, folder)]
    found.searched_bytes += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    hits = search_folder(control, folder)
    found.missed += [f"{moment}: the control in {place}" for place in ("kyma.db", "log") if not _is_in(place, hits)]


def _is_in(place: str, hits: list[Hit]) -> bool:
    return any(place in hit.where and not hit.where.startswith("name") for hit in hits)


def plant_control(control: Marks, gateway: GatewayProcess, key: str) -> None:
    """Have the gateway store something that is to be stored, as it stores everything: the name of a key."""
    _ask(gateway, "/v1/auth/keys", key, {"name": control("key name")})


def look_elsewhere(gateway: GatewayProcess, folder: Path, found: Kept) -> None:
    """What the process may write to besides its folder, and whether a crash would leave its memory behind."""
    process = Path(f"/proc/{gateway.pid}")
    for link in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed a moment ago
            target = os.readlink(link)
            flags = OPEN_FLAGS.search((process / "fdinfo" / link.name).read_text())
            is_written = flags is not None and int(flags[1], 8) & WRITING
            if is_written and not target.startswith((str(folder), *NO_FILES)):
                found.elsewhere.append(target)
    limit = CORE_LIMIT.search((process / "limits").read_text())
    if limit is None or limit[1] != "0":
        found.cores.append(f"room for a core file: {limit and limit[1]}")


def read_all(gateway: GatewayProcess, key: str) -> dict[str, bytes]:
    """By path, all that whoever has this key can read without naming anything."""
    paths = json.loads(_ask(gateway, "/v1/openapi.json", key))["paths"]
    read = [path for path, operations in paths.items() if "get" in operations and "{" not in path]
    return {path: _ask(gateway, path, key) for path in read}


def read_as_other(marks: Marks, gateway: GatewayProcess, key: str, found: Kept) -> None:
    """All that another customer can read."""
    for path, body in read_all(gateway, key).items():
        found.shown += [str(hit) for hit in search(marks, path, [body])]


def note_unvisited(gateway: GatewayProcess, key: str, asked: set[tuple[str, str]], found: Kept) -> None:
    """Every operation that takes a body must have been asked."""
    for path, operations in json.loads(_ask(gateway, "/v1/openapi.json", key))["paths"].items():
        form = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        for method in ("post", "put", "patch"):
            if method in operations and not any(form.fullmatch(one) for verb, one in asked if verb.lower() == method):
                found.unvisited.append(f"{method} {path}")


def _ask(gateway: GatewayProcess, path: str, key: str, body: object = None) -> bytes:
    """The answer, a refusal too."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(gateway.base_url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: bytes = response.read()
    except urllib.error.HTTPError as refused:
        with refused:
            answer = refused.read()
    return answer
