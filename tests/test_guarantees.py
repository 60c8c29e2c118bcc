"""Every test that `docs/guarantees.md` names exists, so that a promise cannot outlive what shows it."""

import re
from pathlib import Path

import pytest

from tests.named_tests import is_there

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "guarantees.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PROMISE = re.compile(r"^### .+$", re.MULTILINE)


def named() -> list[tuple[str, str]]:
    return sorted(set(NAMED.findall(PAGE.read_text())))


@pytest.mark.parametrize(("file", "name"), named())
def test_a_named_test_exists(file: str, name: str) -> None:
    assert is_there(file, name)


def test_every_promise_says_what_it_rests_on_and_what_shows_it() -> None:
    promises, _, _ = PAGE.read_text().partition("## Not promised")
    sections = PROMISE.split(promises)[1:]

    assert len(sections) >= 10
    for section in sections:
        assert "Rests on" in section, section
        assert NAMED.search(section), section
