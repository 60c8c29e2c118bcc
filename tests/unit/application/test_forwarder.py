"""Notices that nobody attends: forwarded by the leader, soon, and by nobody else."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, field

from jobmill.application.errors import SetupFault, StorageRefused, StorageUnavailable
from jobmill.application.forwarder import LOOK_EVERY_S, Forwarder
from jobmill.domain.errors import JobmillError


@define
class Sweeps:
    """A relay, and an observer, that note what they are asked."""

    pages: list[int] = field(factory=list)
    trouble: Exception | None = None
    asked: list[float] = field(factory=list)
    notes: list[str] = field(factory=list)

    async def sweep(self, *, older_than: timedelta, unattended: bool) -> int:
        assert (older_than, unattended) == (timedelta(0), True)
        self.asked.append(asyncio.get_running_loop().time())
        if self.trouble is not None:
            raise self.trouble
        return self.pages.pop(0) if self.pages else 0

    def noted(self, event: str, **fields: object) -> None:
        self.notes.append(event)


@pytest.fixture
def sweeps() -> Sweeps:
    return Sweeps()


async def ran(sweeps: Sweeps, *, leads: bool, for_s: float) -> None:
    both: Any = sweeps
    forwarder = Forwarder(relay=both, leads=lambda: leads, observer=both)
    task = asyncio.create_task(forwarder.run())
    await asyncio.sleep(for_s)
    task.cancel()


async def test_the_leader_looks_every_half_second(sweeps: Sweeps) -> None:
    await ran(sweeps, leads=True, for_s=1.9 * LOOK_EVERY_S)

    assert sweeps.asked == [0, LOOK_EVERY_S]


async def test_nobody_else_looks(sweeps: Sweeps) -> None:
    await ran(sweeps, leads=False, for_s=10)

    assert sweeps.asked == []


async def test_after_a_full_page_it_looks_again_at_once(sweeps: Sweeps) -> None:
    sweeps.pages = [1_000, 7]

    await ran(sweeps, leads=True, for_s=LOOK_EVERY_S / 2)

    assert sweeps.asked == [0, 0, 0]


@pytest.mark.parametrize("trouble", [StorageUnavailable("away"), StorageRefused("no"), SetupFault("mend it")])
async def test_a_store_in_trouble_is_noted_once_and_asked_again(
    sweeps: Sweeps, trouble: JobmillError
) -> None:
    sweeps.trouble = trouble

    await ran(sweeps, leads=True, for_s=10)

    assert len(sweeps.asked) > 10
    assert len(sweeps.notes) == 1
