"""The log says where something went wrong and of what kind it was, and nothing of what it went wrong with."""

import asyncio
import io
import logging
import subprocess
import sys

from kyma.commands.discretion import DiscreetFormatter, report

SECRET = "the-prompt"


def stumble() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise KeyError(SECRET) from error


def logged(say: "logging.Logger") -> io.StringIO:
    """What `say` writes from now on."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(DiscreetFormatter("%(message)s"))
    say.handlers, say.propagate = [handler], False
    return text


def test_an_exception_is_logged_by_its_kind_and_place_only() -> None:
    log = logging.getLogger("test.discretion")
    text = logged(log)
    try:
        stumble()
    except KeyError:
        log.exception("it broke")
    said = text.getvalue()
    assert said.startswith("it broke\n") and SECRET not in said.replace("int(SECRET)", "")
    assert "in stumble" in said and "ValueError\nwhich led to\n" in said and said.endswith("KeyError\n")


def test_a_context_that_was_suppressed_is_left_out() -> None:
    log = logging.getLogger("test.discretion")
    text = logged(log)
    try:
        try:
            int(SECRET)
        except ValueError:
            raise KeyError(SECRET) from None
    except KeyError:
        log.exception("it broke")
    assert "ValueError\n" not in text.getvalue()


def test_what_an_event_loop_reports_shows_no_task() -> None:
    text = logged(logging.getLogger("kyma.loop"))

    async def leave_a_failure_behind() -> None:
        asyncio.get_running_loop().set_exception_handler(report)

        async def fail() -> None:
            stumble()

        await asyncio.wait([asyncio.create_task(fail())])

    asyncio.run(leave_a_failure_behind())
    said = text.getvalue()
    assert said.startswith("Task exception was never retrieved\n") and "in stumble" in said
    assert SECRET not in said


def test_a_serving_process_leaves_no_core_file() -> None:
    code = (
        "import resource; from kyma.commands.discretion import refuse_core_files; refuse_core_files();"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "(0, 0)\n"
