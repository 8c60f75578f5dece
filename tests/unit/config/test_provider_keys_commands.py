"""`kyma provider-keys`: keys come by standard input, and of a stored one no more than four characters are shown."""

import io
import re
from pathlib import Path

import pytest

from tests.unit.config.conftest import Kyma

SECRET = "gsk-0123456789-abcdefgh-Wx7z"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    return monkeypatch


def test_keys_are_added_listed_switched_and_removed(kyma: Kyma, data_dir: Path, given: pytest.MonkeyPatch) -> None:
    added = kyma("provider-keys", "add", "groq")
    assert added.code == 0 and re.fullmatch(r"pk_[0-9a-f]{24} is stored\n", added.out), added
    key_id = added.out.split()[0]
    listed = kyma("provider-keys", "list")
    assert re.fullmatch(rf"{key_id}  groq  …Wx7z  on  stored \S+Z\n", listed.out)
    assert kyma("provider-keys", "disable", key_id).out == f"{key_id} is off\n"
    assert "  off  " in kyma("provider-keys", "list").out
    assert kyma("provider-keys", "enable", key_id).out == f"{key_id} is on\n"
    assert kyma("provider-keys", "remove", key_id).out == f"{key_id} is removed\n"
    assert kyma("provider-keys", "list").out == ""
    assert SECRET.encode() not in (data_dir / "kyma.db").read_bytes()


def test_keys_of_the_environment_are_listed_too(kyma: Kyma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", SECRET)
    monkeypatch.setenv("GROQ_API_KEY_2", "short-key")
    assert (
        kyma("provider-keys", "list").out == "groq#1  groq  …Wx7z  on  environment\ngroq#2  groq  …  on  environment\n"
    )


def test_no_key_is_taken_from_the_command_line(kyma: Kyma, given: pytest.MonkeyPatch) -> None:
    assert kyma("provider-keys", "add", "groq", SECRET).code == 2
    assert kyma("provider-keys", "list").out == ""


def test_a_key_for_an_unknown_provider_is_refused(kyma: Kyma, given: pytest.MonkeyPatch) -> None:
    ran = kyma("provider-keys", "add", "nobody")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("kyma: there is no provider 'nobody'")


@pytest.mark.parametrize("text", ["", "short", "two words of a key"])
def test_what_is_no_key_is_refused_unquoted(kyma: Kyma, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    ran = kyma("provider-keys", "add", "groq")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("kyma: a key ") and (not text or text not in ran.err)


@pytest.mark.parametrize("verb", ["remove", "enable", "disable"])
def test_an_unknown_key_is_told(kyma: Kyma, verb: str) -> None:
    ran = kyma("provider-keys", verb, "pk_1")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("kyma: there is no key 'pk_1'")


def test_a_rotation_says_what_it_moved(kyma: Kyma, given: pytest.MonkeyPatch) -> None:
    kyma("provider-keys", "add", "groq")
    assert kyma("provider-keys", "rotate").out == "1 data keys are under the new master key\n"
    assert "…Wx7z" in kyma("provider-keys", "list").out


def test_a_master_key_that_is_gone_fails_the_rotation_and_doctor(
    kyma: Kyma, data_dir: Path, given: pytest.MonkeyPatch
) -> None:
    kyma("provider-keys", "add", "groq")
    (data_dir / "master.key").unlink()
    ran = kyma("provider-keys", "rotate")
    assert ran.code == 1 and ran.err.startswith("kyma: no key was moved: ")
    assert re.search(r"^FAIL  provider keys: the stored key pk_\w+ cannot be opened", kyma("doctor").out, re.MULTILINE)


def test_doctor_counts_the_keys(kyma: Kyma, operator_key: str, given: pytest.MonkeyPatch) -> None:
    given.setenv("OPENAI_API_KEY", "sk-one-for-doctor")
    kyma("provider-keys", "add", "groq")
    assert "ok    provider keys: 1 in the environment, 1 stored (groq)\n" in kyma("doctor").out
