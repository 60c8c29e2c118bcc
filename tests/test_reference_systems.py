"""Every place that `docs/reference-systems.md` names exists."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference-systems.md"


def test_every_path_of_the_page_is_there() -> None:
    paths = re.findall(r"\]\(([^)]+)\)", PAGE.read_text())

    assert len(paths) > 50
    assert sorted({path for path in paths if not (PAGE.parent / path).exists()}) == []
