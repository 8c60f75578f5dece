"""What the contract calls a status."""

import pytest

from kyma.core.model import ReleaseStage, Status, release_stage


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("stable", "stable"),
        ("preview", "preview"),
        ("limited", "limited"),
        ("legacy", "stable"),
        ("retired", "stable"),
    ],
)
def test_a_status_has_a_word_of_the_contract(status: Status, stage: ReleaseStage) -> None:
    assert release_stage(status) == stage
