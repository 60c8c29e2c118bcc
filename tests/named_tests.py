"""Whether a named test is there: in its module, or in the contract suite that the module takes over."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CONTRACTS: Final = ROOT / "src" / "jobmill" / "testing" / "contracts"
_TAKEN_OVER: Final = re.compile(r"^from jobmill\.testing\.contracts\.(\w+) import \*$", re.MULTILINE)


def is_there(file: str, name: str) -> bool:
    """The module, by its path from the root, has a test of this name."""
    text = (ROOT / file).read_text()
    suites = [(CONTRACTS / f"{suite}.py").read_text() for suite in _TAKEN_OVER.findall(text)]
    test = re.compile(rf"^\s*(async )?def {name}\(|^{name} = ", re.MULTILINE)
    return any(test.search(each) for each in (text, *suites))
