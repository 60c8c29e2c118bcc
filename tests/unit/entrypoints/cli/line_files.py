"""Files of lines, and short words for submitting them."""

import io
import json
from typing import Any

import pytest

from tests.unit.entrypoints.cli.mill import Mill, Told

FILE = "pictures.ndjson"
REJECTED = f"{FILE}.rejected"


def lines_of(*pictures: str) -> str:
    return "".join(f'{{"picture":"{each}"}}\n' for each in pictures)


def submitted(shop: Mill, *more: str, text: str | bytes | None = None) -> Told:
    if text is not None:
        (shop.folder / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    return shop.run("submit", "thumbnail.make", "--file", FILE, *more)


def pictures(shop: Mill) -> list[str]:
    return sorted(job["payload"]["picture"] for job in shop.run("jobs", "--limit", "200", "--json").records)


def rejected(shop: Mill, name: str = REJECTED) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (shop.folder / name).read_text().splitlines()]


def type_in(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
