"""Which program called, by its headers, and what is never kept of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.usage import Apps, app_of
from tests.clock import ManualClock


@pytest.mark.parametrize(
    ("agent", "app"),
    [
        (b"claude-cli/1.0.83 (external, cli)", "claude-code"),
        (b"codex_cli_rs/0.20.0 (Ubuntu 22.4.0; x86_64)", "codex"),
        (b"GeminiCLI/0.3 (linux; x64)", "gemini-cli"),
        (b"watch-cli/0.2.0", "watch-cli"),
        (b"kyma-dub/0.2.0", "kyma-dub"),
        (b"OpenAI/Python 3.1.0", "openai-python"),
        (b"AsyncOpenAI/Python 3.1.0", "openai-python"),
        (b"Anthropic/JS 0.60.0", "anthropic-js"),
        (b"python-requests/2.32.3", "python-requests"),
        (b"Go-http-client/1.1", "go-http-client"),
        (b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "browser"),
        (b"curl/8.5.0", "curl"),
        (b"node", "node"),
        (b"(unknown)", ""),
        (b"", ""),
    ],
)
def test_a_user_agent_names_its_product(agent: bytes, app: str) -> None:
    assert app_of([(b"user-agent", agent)]) == app


def test_what_a_program_calls_itself_goes_before_its_kit_its_site_and_what_it_is_built_with() -> None:
    headers = [
        (b"user-agent", b"python-httpx/0.28"),
        (b"referer", b"https://second.example.com/"),
        (b"http-referer", b"https://first.example.com/"),
        (b"x-kyma-sdk", b"python/0.1.0"),
        (b"x-title", b"My  App"),
    ]
    names = ["my app", "kyma-ai/python", "first.example.com", "second.example.com", "python-httpx", ""]
    assert [app_of(headers[: len(headers) - n]) for n in range(len(names))] == names


@pytest.mark.parametrize(
    ("title", "app"),
    [
        (b"bob@example.com", ""),
        (b"Notes of bob@example.com", "notes of"),
        (b"/home/bob/project", ""),
        (b"C:\\Users\\bob", "c"),
        (b"https://user:secret@app.example.com:8443/u/7?token=1#x", "app.example.com"),
        (b"ky-abcdefgh1234567890abcdefgh my tool", "my tool"),
        (b"=cmd|calc", "cmdcalc"),
        (b"a\x00b\r\nc\x1b[31m", "ab c31m"),
        ("Überprüfung ✨ 日本".encode(), "berprfung"),
        (b"\xff\xfe", ""),
        (b"x" * 5000, "x" * 48),
    ],
)
def test_a_title_is_cleaned(title: bytes, app: str) -> None:
    assert app_of([(b"x-title", title)]) == app


@pytest.mark.parametrize(
    ("address", "app"),
    [
        (b"https://www.example.com/users/bob?session=1", "example.com"),
        (b"example.com", "example.com"),
        (b"http://127.0.0.1:3000/", ""),
        (b"http://[::1]/", ""),
        (b"http://bobs-laptop/", ""),
        (b"https://[broken", ""),
        (b"https://" + b"a" * 60 + b".com/", ""),
    ],
)
def test_of_a_referer_the_site_alone_is_kept(address: bytes, app: str) -> None:
    assert app_of([(b"referer", address)]) == app


@given(st.sampled_from([b"x-title", b"x-kyma-sdk", b"http-referer", b"user-agent"]), st.binary(max_size=600))
def test_whatever_is_sent_a_name_is_short_and_plain(header: bytes, value: bytes) -> None:
    assert re.fullmatch(r"(?:[a-z0-9][a-z0-9 .+/-]{0,47})?", app_of([(header, value)]))


def test_a_site_begins_with_a_letter_or_a_digit() -> None:
    assert app_of([(b"referer", b"https://-2.example.com/")]) == ""


def test_an_account_has_a_hundred_apps_a_day_and_no_more() -> None:
    clock = ManualClock()
    apps = Apps(clock)
    told = [apps.counted_as("acct_1", f"app {n}") for n in range(102)]
    assert told == [*(f"app {n}" for n in range(100)), "other", "other"]
    assert apps.counted_as("acct_1", "app 7") == "app 7"
    assert apps.counted_as("acct_1", "") == ""
    assert apps.counted_as("acct_2", "app 101") == "app 101"
    clock.advance(86_400)
    assert apps.counted_as("acct_1", "app 101") == "app 101"
