"""Which cores run what: the target under test alone on one, mock, load and the bench itself on the others.

Both targets get the same core, so a second core flatters neither threads nor processes, and the load never steals from
what is measured. On a machine with one core, or where pinning is not possible, everything runs everywhere.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ALL = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def keep_off_the_target() -> bool:
    """Move this process, and what it starts from now on, off the target's core; False where there is no other."""
    if len(_ALL) < 2:
        return False
    os.sched_setaffinity(0, _ALL[1:])
    return True


@contextmanager
def on_the_targets_core() -> Iterator[None]:
    """What is started in this block runs on the target's core, with all its threads and children."""
    if len(_ALL) < 2 or os.sched_getaffinity(0) == set(_ALL):
        yield
        return
    os.sched_setaffinity(0, _ALL[:1])
    try:
        yield
    finally:
        os.sched_setaffinity(0, _ALL[1:])
