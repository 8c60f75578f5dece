"""Every bug that acceptance suites plant still fits the code it is planted in."""

import shutil
from pathlib import Path

import pytest

import kyma
from tests.accept.mutants import MUTANTS
from tests.accept.planting import Mutant
from tests.accept.suites import SUITES

SOURCE = Path(kyma.__file__).parent


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.suite}: {mutant.name}")
def test_a_mutant_can_be_planted(mutant: Mutant, tmp_path: Path) -> None:
    for edit in mutant.edits:
        (tmp_path / edit.file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / edit.file, tmp_path / edit.file)
    mutant.plant(tmp_path)


def test_every_suite_has_mutants_and_every_mutant_a_suite() -> None:
    assert {mutant.suite for mutant in MUTANTS} == set(SUITES)
