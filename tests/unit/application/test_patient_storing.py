"""Storing with patience: what is told, how long is waited, and what is taken out."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from attrs import define, field

from jobmill.application.errors import (
    QueueFull,
    StorageRefused,
    StorageUnavailable,
    StorageUnknown,
    Unavailable,
)
from jobmill.application.patient_storing import PatientStoring, Stopped, StoredUnit
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.submitter import Accepted, Submitter

from tests.builders import a_job

FULL = QueueFull(queue="default", waiting=10, jobs_max=10)


@define
class Door:
    """Takes units, but not before all of its troubles are over, and none with a poisoned job."""

    troubles: list[Unavailable] = field(factory=list)
    poisoned: frozenset[str] = frozenset()
    there: frozenset[str] = frozenset()
    calls: int = 0

    async def store(self, unit: Sequence[NewJob]) -> Sequence[Accepted]:
        self.calls += 1
        await asyncio.sleep(0)
        if self.troubles:
            raise self.troubles.pop(0)
        if any(new.job.payload in self.poisoned for new in unit):
            raise StorageRefused("no")
        return [Accepted(job=new.job, replayed=new.job.payload in self.there) for new in unit]


@define
class Bed:
    door: Door
    notes: list[str] = field(factory=list)
    stop: asyncio.Event = field(factory=asyncio.Event)
    storing: PatientStoring = field(init=False)

    def __attrs_post_init__(self) -> None:
        submitter = cast("Submitter", self.door)
        self.storing = PatientStoring(submitter=submitter, note=self.notes.append, stop=self.stop)


def unit_of(size: int) -> list[NewJob]:
    return [NewJob(job=a_job(payload=str(number))) for number in range(size)]


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_what_is_stored_and_what_was_there_is_counted() -> None:
    bed = Bed(Door(there=frozenset({"1", "2"})))

    assert await bed.storing.store(unit_of(5)) == StoredUnit(accepted=3, already_there=2)
    assert bed.notes == []


async def test_a_full_queue_is_waited_for_as_told_and_without_end() -> None:
    bed, began = Bed(Door(troubles=[FULL] * 100)), now()

    stored = await bed.storing.store(unit_of(2))

    assert stored.accepted == 2
    assert now() - began == pytest.approx(100 * 5.0)
    assert bed.notes == [
        "waiting: about 10 jobs wait in the queue 'default', 10 may; try again later; trying again every 5 s",
        "going on",
    ]


async def test_units_that_wait_beside_each_other_say_so_once() -> None:
    bed = Bed(Door(troubles=[FULL] * 3))

    await asyncio.gather(*(bed.storing.store(unit_of(1)) for _ in range(3)))

    assert len(bed.notes) == 2


@pytest.mark.parametrize("trouble", [StorageUnavailable("away"), StorageUnknown("cut off")])
async def test_a_store_that_is_away_is_waited_for_a_minute(trouble: Unavailable) -> None:
    bed, began = Bed(Door(troubles=[trouble] * 29)), now()
    assert (await bed.storing.store(unit_of(1))).accepted == 1
    assert now() - began == pytest.approx(58)

    bed = Bed(Door(troubles=[trouble] * 40))
    with pytest.raises(type(trouble)):
        await bed.storing.store(unit_of(1))
    assert bed.door.calls == 31


async def test_a_store_that_answers_again_in_between_is_not_away() -> None:
    away = [StorageUnavailable("away")] * 25
    bed = Bed(Door(troubles=[*away, FULL, *away]))

    assert (await bed.storing.store(unit_of(1))).accepted == 1


async def test_whoever_waits_stops_when_that_is_wanted() -> None:
    bed = Bed(Door(troubles=[FULL] * 100))
    waiting = asyncio.create_task(bed.storing.store(unit_of(1)))
    await asyncio.sleep(1)

    bed.stop.set()

    with pytest.raises(Stopped):
        await waiting
    assert bed.door.calls == 1
    with pytest.raises(Stopped):
        await bed.storing.store(unit_of(1))


async def test_jobs_that_the_database_refuses_are_taken_out_and_the_others_stored() -> None:
    bed = Bed(Door(poisoned=frozenset({"3", "700"})))

    stored = await bed.storing.store(unit := unit_of(1_000))

    assert stored.accepted == 998
    assert [(new.job.payload, reason) for new, reason in stored.refused] == [("3", "no"), ("700", "no")]
    assert bed.door.calls < 50
    assert len(unit) == 1_000


async def test_another_patience_can_be_asked_for() -> None:
    door: Any = Door(troubles=[StorageUnavailable("away")] * 9)
    storing = PatientStoring(
        submitter=door, note=lambda _: None, stop=asyncio.Event(), patience=timedelta(seconds=5)
    )

    with pytest.raises(StorageUnavailable):
        await storing.store(unit_of(1))
    assert door.calls == 4
