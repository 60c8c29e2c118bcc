"""The results of a run, as they are kept: one file of JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from benchmarks.samples import Figure, Sample, figures


@frozen(kw_only=True)
class Results:
    """What a run gave, and where and when.

    Args:
        is_complete: nobody interrupted it.
        machine: what it ran on, by name.
        versions: of everything that took part.
        contenders: titles, settings and what they keep, by name.
    """

    date: str
    size: str
    parts: Sequence[str]
    seconds: float
    is_complete: bool = True
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    contenders: Mapping[str, Mapping[str, Any]]
    samples: Sequence[Sample]

    @property
    def figures(self) -> Sequence[Figure]:
        return figures(self.samples)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        values = json.loads(path.read_text())
        samples = [Sample.from_dict(each) for each in values.pop("samples")]
        return cls(samples=samples, **values)
