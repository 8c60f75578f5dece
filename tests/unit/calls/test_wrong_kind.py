"""A media SKU where a text is asked for: one mechanism with models of text of another kind."""

from datetime import date

import pytest

from kyma.calls.asking import model_counted, who_may_answer
from kyma.catalog import Catalog, assemble, builtin_data, read
from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest
from kyma.dialects import openai_chat

SHEETS = read(builtin_data(), None)


def on(today: date) -> Catalog:
    return assemble(SHEETS, environment={"GROQ_API_KEY": "g"}, engines={}, today=today)


def chat(name: str, more: str = "") -> CallRequest:
    body = f'{{"model":"{name}","messages":[{{"role":"user","content":"hello"}}]{more}}}'
    return openai_chat.parse_request(body.encode())


def refused(name: str, catalog: Catalog) -> InvalidRequest:
    """As an answer is refused, so is a count of tokens."""
    with pytest.raises(InvalidRequest) as caught:
        who_may_answer(chat(name), catalog)
    with pytest.raises(InvalidRequest) as counted:
        model_counted(chat(name), catalog)
    assert counted.value.message == caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("veo-3", "veo-3 is a video model, not a chat model: ask it at POST /v1/videos/generations, which"),
        ("recraft-v4-vector", "recraft-v4-vector is an image model, not a chat model: ask it at POST /v1/images/"),
        ("whisper-v3-turbo", "whisper-v3-turbo is a transcription model, not a chat model: ask it at POST /v1/audio/"),
        ("audio-understand", "gemini-3-flash-audio is a model that answers about audio, not a chat model: ask it at "),
    ],
)
def test_it_says_what_it_is_and_where_it_belongs(name: str, words: str) -> None:
    error = refused(name, on(date(2026, 11, 22)))
    assert (error.status, error.code, error.param) == (400, "not_a_chat_model", "model")
    assert error.message.startswith(words)
    assert error.message.endswith(", which this version does not serve yet")


def test_it_says_so_inside_a_list_too() -> None:
    with pytest.raises(InvalidRequest, match="veo-3 is a video model, not a chat model"):
        who_may_answer(chat("gpt-oss-120b", ',"models":["veo-3"]'), on(date(2026, 11, 22)))


def test_one_that_has_ended_says_since_when() -> None:
    said = refused("transcribe-quality", on(date(2027, 3, 1))).message
    assert said.endswith("ask it at POST /v1/audio/transcriptions; it was retired on 2027-02-26")


def test_every_capability_has_a_name() -> None:
    catalog = on(date(2026, 11, 22))
    for model_id in catalog.media:
        assert refused(model_id, catalog).code == "not_a_chat_model"
