"""Every mutant can still be made, and everyone who is to find it is there."""

from pathlib import Path

import pytest

from tests.named_tests import is_there
from tests.simulation.mutant import Mutant, Seeds
from tests.simulation.mutants import MUTANTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.hole)
def test_a_mutant_changes_one_place(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text()

    assert text.count(mutant.old) == 1
    assert mutant.new != mutant.old


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.hole)
def test_its_killer_exists(mutant: Mutant) -> None:
    if isinstance(mutant.killer, Seeds):
        assert 0 < mutant.killer.most <= 5000
    else:
        assert is_there(mutant.killer.file, mutant.killer.name)


def test_the_page_of_guarantees_has_the_table() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text()

    assert table() in page, f"docs/guarantees.md has to hold this table:\n{table()}"


def table() -> str:
    """Return the table of the page."""
    rows = [f"| {mutant.hole} | {mutant.rules} | {mutant.killer} |" for mutant in MUTANTS]
    return "\n".join(["| without the rule | rule | found by |", "|---|---|---|", *rows])
