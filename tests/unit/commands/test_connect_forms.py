"""One value of a text is changed and nothing else, in whatever way people write their files."""

import json
import string
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.commands.connecting import json_form, toml_form, yaml_form
from kyma.commands.connecting.forms import Tree, Unreadable

KEYS = st.text(string.ascii_letters + "$-_. ü\"'\\", min_size=1, max_size=4)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
STEPS = st.lists(KEYS, min_size=1, max_size=3).map(tuple)
INDENTS = st.sampled_from([None, 2, 4, "\t"])


def put(content: Tree, steps: tuple[str, ...], value: object) -> Tree:
    """The same on plain values."""
    first, *rest = steps
    below = content.get(first)
    inner = put(below if isinstance(below, dict) else {}, tuple(rest), value) if rest else value
    return {**content, first: inner}


@given(OBJECTS, INDENTS, STEPS, VALUES)
def test_json_has_the_value_and_all_that_it_had(content: Tree, indent: Any, steps: tuple[str, ...], value: Any) -> None:
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    changed = json_form.put(text, steps, value)
    assert json.loads(changed) == put(content, steps, value) == json_form.read(changed)


@given(OBJECTS, INDENTS, KEYS, VALUES)
def test_json_without_a_new_key_is_what_it_was(content: Tree, indent: Any, key: str, value: Any) -> None:
    content.pop(key, None)
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    assert json.loads(json_form.drop(json_form.put(text, (key,), value), (key,))) == content


@given(OBJECTS.filter(bool), INDENTS, st.data())
def test_json_without_one_of_its_keys_has_the_others(content: Tree, indent: Any, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(content)))
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    assert json.loads(json_form.drop(text, (key,))) == {other: content[other] for other in content if other != key}


@pytest.mark.parametrize(
    ("text", "steps", "changed"),
    [
        ("{}", ("a",), '{\n  "a": 1\n}'),
        ("{ // none\n}", ("a",), '{\n  "a": 1 // none\n}'),
        ('{"b": 2}', ("a",), '{"b": 2, "a": 1}'),
        ('{"b": 2,}', ("a",), '{"b": 2, "a": 1,}'),
        ('{\n  "b": 2 // two\n}', ("a",), '{\n  "b": 2, // two\n  "a": 1\n}'),
        ('{\n  "b": 2, // two\n}', ("a",), '{\n  "b": 2, // two\n  "a": 1,\n}'),
        ('{\n  "b": 2 /* two\n  lines */\n}', ("a",), '{\n  "b": 2,\n  "a": 1 /* two\n  lines */\n}'),
        ("{\r\n\t'b': 2\r\n}", ("a",), "{\r\n\t'b': 2,\r\n\t\"a\": 1\r\n}"),
        ("{a: +2, b: .5}", ("a",), "{a: 1, b: .5}"),
        ('{"a": 0, "a": 3}', ("a",), '{"a": 0, "a": 1}'),
        ('{"a": {"b": [1, 2,]}} // end', ("a", "b"), '{"a": {"b": 1}} // end'),
        ('\ufeff{"a": "x // y"}\n', ("a",), '\ufeff{"a": 1}\n'),
    ],
)
def test_json_is_cut_into(text: str, steps: tuple[str, ...], changed: str) -> None:
    assert json_form.put(text, steps, 1) == changed


@pytest.mark.parametrize(
    "text", ["", "{", '{"a"}', '{"a": }', "{a b}", '{"a": 1 "b": 2}', "[", "nope", '{"a": "', "/*"]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        json_form.read(text)


def test_json_nested_without_end_is_refused() -> None:
    with pytest.raises(Unreadable):
        json_form.read('{"a":' * 100_000)


@pytest.mark.parametrize(
    ("text", "steps", "changed"),
    [
        ("a = 2 # two\n", ("a",), "a = 1 # two\n"),
        ("[t]\nb = 2\n", ("a",), "a = 1\n[t]\nb = 2\n"),
        ("[t]\nb = 2\n", ("t", "a"), "[t]\nb = 2\na = 1\n"),
        ("t = { b = 2 }\n", ("t", "a"), "t = { b = 2 , a = 1}\n"),
        ("t.b = 2\n", ("t", "a"), "t.b = 2\nt.a = 1\n"),
    ],
)
def test_toml_keeps_the_rest(text: str, steps: tuple[str, ...], changed: str) -> None:
    put = toml_form.put(text, steps, 1)
    assert put.replace("\n\n", "\n") == changed or toml_form.read(put) == toml_form.read(changed)
    assert all(line in put for line in text.splitlines() if "a = 2" not in line and "{" not in line)


ITEM: Mapping[str, object] = {"name": "Kyma", "roles": ["chat"]}


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", 'models:\n  - name: "Kyma"\n    roles: ["chat"]\n'),
        ("a: 1", 'a: 1\nmodels:\n  - name: "Kyma"\n    roles: ["chat"]\n'),
        ("models: # none\na: 1\n", 'models: # none\n  - name: "Kyma"\n    roles: ["chat"]\na: 1\n'),
        ("models: []\n", 'models: [{"name": "Kyma", "roles": ["chat"]}]\n'),
        ("models: [{name: x}]\n", 'models: [{"name": "Kyma", "roles": ["chat"]}, {name: x}]\n'),
        ("models:\n- name: x\n", 'models:\n- name: "Kyma"\n  roles: ["chat"]\n- name: x\n'),
        (
            "models:\n    # x\n    - name: x\n",
            'models:\n    - name: "Kyma"\n      roles: ["chat"]\n    # x\n    - name: x\n',
        ),
    ],
)
def test_yaml_gets_an_item_and_keeps_the_rest(text: str, changed: str) -> None:
    assert yaml_form.put_item(text, ("models",), ITEM) == changed
    if "[{" not in changed:
        back = yaml_form.drop_item(changed, ("models",), "Kyma")
        assert yaml_form.read(back).get("models") == yaml_form.read(text).get("models")


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a: 2 # two\nb: 3\n", "a: 1 # two\nb: 3\n"),
        ("a: 'two' # two", "a: 1 # two"),
        ("a: # none\nb: 3\n", "a: 1 # none\nb: 3\n"),
        ("b: |\n  text\n", "b: |\n  text\na: 1\n"),
        ("---\nb: 3\n", "---\nb: 3\na: 1\n"),
    ],
)
def test_yaml_gets_a_value_and_keeps_the_rest(text: str, changed: str) -> None:
    assert yaml_form.put(text, ("a",), 1) == changed
    assert "a" not in yaml_form.read(yaml_form.drop(changed, ("a",)))


@pytest.mark.parametrize("text", ["a: 1\n---\na: 2\n", "a: 1\n...\n", "{a: 1}", "- a", "a: [1\n"])
def test_yaml_that_cannot_be_cut_into_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        yaml_form.put(text, ("b",), 1)
