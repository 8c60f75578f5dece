"""What an Ollama server says of its models, read. Shapes: see `tests/ollama_stand_in.py`."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.core.errors import Garbled
from kyma.local.ollama import OllamaModel, Tag, parse_show, parse_tags
from tests.ollama_stand_in import CLOUD, EMBEDDER, LLAMA, SEER, THINKER, shown, tag


def listed(*rows: dict[str, Any]) -> list[Tag]:
    return parse_tags(json.dumps({"models": rows}).encode())


def read(row: dict[str, Any], said: dict[str, Any]) -> OllamaModel | None:
    (found,) = listed(row)
    return parse_show(found, json.dumps(said).encode())


def test_a_chat_model_is_read_with_its_window_and_what_it_can_do() -> None:
    assert read(*LLAMA) == OllamaModel(
        "llama3.2:3b", "chat", "llama", "3.2B", date(2025, 5, 4), 131072, frozenset(("completion", "tools"))
    )


@pytest.mark.parametrize(
    ("given", "kind", "window"), [(SEER, "chat", 4096), (THINKER, "chat", 40960), (EMBEDDER, "embedding", 2048)]
)
def test_the_kind_follows_from_the_capabilities_and_the_window_from_what_is_set(
    given: tuple[dict[str, Any], dict[str, Any]], kind: str, window: int
) -> None:
    found = read(*given)
    assert found is not None and (found.kind, found.context_window) == (kind, window)


def test_what_runs_in_ollamas_cloud_is_not_listed() -> None:
    assert listed(CLOUD[0], LLAMA[0]) == listed(LLAMA[0])


def test_a_model_that_only_draws_is_none_of_ours() -> None:
    assert read(tag("z-image:latest", "z", "6B"), shown("z", "image")) is None


@pytest.mark.parametrize(("more", "kind"), [({}, "chat"), ({"nomic-bert.pooling_type": 1}, "embedding")])
def test_a_server_that_tells_no_capabilities_is_read_by_the_models_form(more: dict[str, int], kind: str) -> None:
    said = shown("nomic-bert")
    del said["capabilities"]
    said["model_info"] |= more
    found = read(EMBEDDER[0], said)
    assert found is not None and found.kind == kind


def test_a_model_without_a_window_has_the_servers_usual_one() -> None:
    found = read(LLAMA[0], {"capabilities": ["completion"], "details": None} | {"model_info": {}})
    assert found is not None and found.context_window == 4096


def test_an_empty_server_has_no_models() -> None:
    assert parse_tags(b'{"models":null}') == parse_tags(b'{"models":[]}') == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"models":[{}]}', b'{"models":[{"name":1}]}', b"[" * 5000])
def test_a_list_of_another_shape_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        parse_tags(body)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'{"model_info":{"general.architecture":7}}',
        b'{"model_info":{"general.architecture":"x","x.context_length":"long"}}',
    ],
)
def test_a_description_of_another_shape_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        parse_show(Tag("x"), said)


@given(st.binary(max_size=60), st.integers(0, 600))
def test_no_bytes_upset_the_reader(odd: bytes, at: int) -> None:
    body = json.dumps(LLAMA[1]).encode()
    try:
        parse_show(Tag("x"), body[:at] + odd + body[at + len(odd) :])
    except Garbled:
        pass


def test_a_name_that_would_write_lines_of_its_own_is_none() -> None:
    assert listed(tag("x\ny", "llama", "1B"), tag("", "llama", "1B")) == []
