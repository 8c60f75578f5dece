"""The secrets of one gateway and its customers, each with a mark of its run in it, and where each is planted."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from string import digits

import msgspec

from tests.accept.client import Client, Question
from tests.accept.dialects import CHAT
from tests.accept.marks import Hit, Marks, search, search_folder
from tests.gateway_catalog import ProviderSpec, key_env

SHOWN_CHARS = 4


class Secrets(msgspec.Struct, frozen=True):
    """What nobody may read: marks that stand in every secret of a kind, `ours`, `own` and so on."""

    kinds: Mapping[str, Marks]

    @classmethod
    def draw(cls, dice: Random, **exact: str) -> "Secrets":
        """Marks for keys of providers, and secrets that are what they are."""
        kinds = {kind: Marks.draw(dice) for kind in ("ours", "own")}
        return cls(kinds | {name: Marks(text, Marks.draw(dice).tail) for name, text in exact.items()})

    def with_exact(self, **exact: str) -> "Secrets":
        """These and more secrets that are what they are."""
        tail = self.kinds["ours"].tail
        return Secrets({**self.kinds, **{name: Marks(text, tail) for name, text in exact.items()}})

    def key(self, kind: str, dice: Random) -> str:
        """A key like those that vendors give: its last four characters may be shown, what is before may not."""
        shown = "".join(dice.choices(digits, k=SHOWN_CHARS - 1)) + "x"
        return f"sk-{self.kinds[kind].stem}{dice.randrange(10**6):06}k9Q{shown}"

    def found_in(self, where: str, texts: Sequence[bytes]) -> list[str]:
        return [f"{kind}: {hit}" for kind, marks in self.kinds.items() for hit in search(marks, where, texts)]

    def found_below(self, folder: Path) -> list[str]:
        """In every file and every row of every table."""
        hits: list[tuple[str, Hit]] = []
        for kind, marks in self.kinds.items():
            hits += [(kind, hit) for hit in search_folder(marks, folder)]
        return [f"{kind}: {hit}" for kind, hit in hits]


def environment(secrets: Secrets, rows: Sequence[ProviderSpec], folder: Path, dice: Random) -> dict[str, str]:
    """Keys of providers in variables and in files, several each. One without any waits for its stored key."""
    folder.mkdir(parents=True)
    env: dict[str, str] = {}
    for number, row in enumerate(rows):
        name = key_env(row)
        path = folder / f"{row.id}.keys"
        path.write_text("".join(f"{secrets.key('ours', dice)}\n" for _ in range(2)))
        match number % 3:
            case 0:
                env |= {name: secrets.key("ours", dice), f"{name}_2": secrets.key("ours", dice)}
            case 1:
                env |= {name: secrets.key("ours", dice), f"{name}_2_FILE": str(path)}
            case _:
                env |= {name: "", f"{name}_FILE": str(path)}
    return env


def bring(port: int, account_key: str, provider: str, secret: str) -> bytes:
    """Store a customer's own key; the whole answer."""
    body = msgspec.json.encode({"key": secret})
    return ask(port, account_key, Question(CHAT, f"/v1/auth/provider-keys/{provider}", body, method="PUT"))


def mistakes(secret: str, provider: str) -> list[Question]:
    """Ways to hand a key over that go wrong; no answer to any may repeat it."""
    path = f"/v1/auth/provider-keys/{provider}"
    bodies: list[object] = [
        *(
            {"key": wrong}
            for wrong in ([secret], {secret: secret}, f"{secret} {secret}", f"{secret}\n{secret}", f"{secret}ß")
        ),
        *({name: secret} for name in ("api_key", secret)),
        *([secret], secret, {"key": b64encode(secret.encode() * 200).decode()}),
    ]
    puts = [Question(CHAT, path, msgspec.json.encode(body), method="PUT") for body in bodies]
    puts += [Question(CHAT, path, msgspec.json.encode({"key": secret})[:-3], method="PUT")]
    puts += [Question(CHAT, "/v1/auth/provider-keys/nobody", msgspec.json.encode({"key": secret}), method="PUT")]
    named = [Question(CHAT, f"/v1/auth/provider-keys/{secret}", b"", method=method) for method in ("GET", "DELETE")]
    return [*puts, *named]


def ask(port: int, account_key: str, question: Question) -> bytes:
    """Head and body of the answer."""

    async def once() -> bytes:
        client = Client(port, account_key)
        reply = await client.chat(question)
        client.leave()
        return repr(reply.headers).encode() + bytes(reply.body)

    return asyncio.run(once())
