"""What the upstream does to have a file edited, and what it refuses to go on with."""

import pytest

from tests.upstream.editing import CLOSING, SEARCHED, TITLE, Call, Say, next_step, wish
from tests.upstream.talk import Asked, Called, Json, Offered, Result
from tests.upstream.toolbox import Broken

OLD, NEW = "alpha beta", 'größer "7" \\n 😀'
WISH = wish("/work/notes.txt", OLD, NEW)


def offered(name: str, *arguments: str) -> Offered:
    return Offered(name, {"type": "object", "properties": {key: {} for key in arguments}, "required": list(arguments)})


READ, EDIT = offered("Read", "file_path"), offered("Edit", "file_path", "old_string", "new_string")
SHELL, SEARCH = offered("exec_command", "cmd"), offered("ToolSearch", "query", "max_results")
PATCH, SCRIPT = offered("apply_patch", "input"), offered("functions__exec", "input")


def asked(
    *tools: Offered, texts: tuple[str, ...] = (WISH,), calls: tuple[Called, ...] = (), results: tuple[Result, ...] = ()
) -> Asked:
    return Asked(
        is_streaming=True,
        wants_usage=True,
        prompt_tokens=1,
        max_tokens=None,
        last_user_text=texts[-1],
        texts=texts,
        tools=tools,
        calls=calls,
        results=results,
        ends_in_tool_result=bool(results),
    )


def played(*tools: Offered, by_shell: bool = False) -> list[list[tuple[str, Json]]]:
    """All turns of calls, each answered by an agent that gives back what it was told; then the closing words."""
    turns: list[list[tuple[str, Json]]] = []
    calls: tuple[Called, ...] = ()
    while not isinstance(step := next_step(_answered(tools, calls), by_shell), Say):
        turns.append([(call.name, call.arguments) for call in step])
        calls += tuple(Called(call.id, call.name, call.arguments) for call in step)
    assert step == Say(CLOSING)
    return turns


def _answered(tools: tuple[Offered, ...], calls: tuple[Called, ...]) -> Asked:
    return asked(*tools, calls=calls, results=tuple(Result(call.id, f"it says {OLD}") for call in calls))


def names(turns: list[list[tuple[str, Json]]]) -> list[list[str]]:
    return [[name for name, _ in turn] for turn in turns]


def test_a_file_is_read_and_then_edited_by_the_names_that_the_schemas_have() -> None:
    turns = played(READ, EDIT, SHELL)
    assert names(turns) == [["Read", "exec_command"], ["Edit"]]
    assert turns[1][0][1] == {"file_path": "/work/notes.txt", "old_string": OLD, "new_string": NEW}


def test_tools_that_are_kept_back_are_looked_for() -> None:
    assert names(played(READ, EDIT, SEARCH, offered(SEARCHED))) == [["Read", "ToolSearch"], ["Edit"]]
    with pytest.raises(Broken, match="is not offered"):
        played(READ, EDIT, SEARCH)


def test_a_patch_a_script_or_a_shell_will_do() -> None:
    assert names(played(SHELL, PATCH)) == [["exec_command", "exec_command"], ["apply_patch"]]
    assert names(played(SHELL, PATCH, by_shell=True)) == [["exec_command", "exec_command"], ["exec_command"]]
    assert names(played(SCRIPT)) == [["functions__exec"], ["functions__exec"]]


def test_without_tools_an_edit_is_text_to_the_letter() -> None:
    step = next_step(asked(texts=("Use SEARCH/REPLACE blocks", WISH)), False)
    assert isinstance(step, Say)
    assert f"\nnotes.txt\n```\n<<<<<<< SEARCH\n{OLD}\n=======\n{NEW}\n>>>>>>> REPLACE\n```\n" in step.text
    assert "".join(step.tokens) == step.text


def test_the_fragments_of_a_call_join_to_its_arguments() -> None:
    call = Call("c", "Edit", {"new_string": NEW})
    assert len(call.fragments) > 3
    assert "".join(call.fragments).isascii()


def test_a_side_errand_gets_a_few_words() -> None:
    assert next_step(asked(texts=("Give it a title",)), False) == Say(TITLE)
    assert next_step(asked(), False) == Say(TITLE)


FIRST = Called("call_edit_0", "Read", {"file_path": "/work/notes.txt", "limit": 9})
SECOND = Called("call_edit_1", "exec_command", {"cmd": "ls /work"})
ANSWERS = (Result("call_edit_0", OLD), Result("call_edit_1", ""))


def test_an_agent_may_add_arguments_of_its_own() -> None:
    step = next_step(asked(READ, EDIT, SHELL, calls=(FIRST, SECOND), results=ANSWERS), False)
    assert not isinstance(step, Say)


@pytest.mark.parametrize(
    ("calls", "results"),
    [
        ((FIRST,), ANSWERS[:1]),
        ((FIRST, Called("call_edit_1", "exec_command", {})), ANSWERS),
        ((FIRST, Called("call_edit_1", "Read", SECOND.arguments)), ANSWERS),
        ((FIRST, SECOND), ANSWERS[:1]),
        ((FIRST, SECOND), (*ANSWERS[:1], Result("", ""))),
        ((FIRST, FIRST), (ANSWERS[0], ANSWERS[0])),
        ((FIRST, SECOND), (Result("call_edit_0", "nothing"), ANSWERS[1])),
    ],
)
def test_a_history_that_has_changed_is_refused(calls: tuple[Called, ...], results: tuple[Result, ...]) -> None:
    with pytest.raises(Broken):
        next_step(asked(READ, EDIT, SHELL, calls=calls, results=results), False)


def test_a_schema_that_has_lost_its_members_is_refused() -> None:
    with pytest.raises(Broken, match="cannot be given"):
        next_step(asked(Offered("Read", {}), EDIT, SHELL), False)
