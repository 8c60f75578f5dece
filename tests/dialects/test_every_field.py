"""docs/dialects.md is what the codecs do, and no field of any dialect is lost in silence."""

import json
from pathlib import Path

import pytest

from kyma.dialects import bedrock_converse, cohere_chat
from kyma.providers.compat import DIALECTS
from kyma.providers.translate import READERS
from tests.dialects.every_field import BASES, FIELDS, GIVEN_BACK, lines, request

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "dialects.md"


def test_the_table_is_true() -> None:
    assert DOCUMENT.read_text() == "\n".join(lines()) + "\n"


def test_every_dialect_of_customers_is_in_it() -> None:
    assert set(FIELDS) == set(BASES) == set(READERS)
    assert set(DIALECTS) - set(FIELDS) == {bedrock_converse.NAME, cohere_chat.NAME}


ASKED = [(dialect, field) for dialect in FIELDS for field in FIELDS[dialect]]


@pytest.mark.parametrize(("dialect", "field"), [asked for asked in ASKED if asked not in GIVEN_BACK])
def test_a_field_is_mapped_or_reported(dialect: str, field: str) -> None:
    """What the canonical chat took has a name in it; what it could not take is listed as lost."""
    bare = READERS[dialect](json.dumps(BASES[dialect]).encode()).chat()
    asked = READERS[dialect](json.dumps(request(dialect, field)).encode()).chat()
    told = {part for path in (*asked.names.values(), *asked.lost) for part in path.split(", ")}
    is_told = any(part == field or part.startswith(f"{field}.") for part in told)
    assert is_told or asked.messages != bare.messages or asked.max_tokens != bare.max_tokens, (field, told)
