"""A person at work: cancels jobs that wait or run, requeues and discards dead ones."""

import asyncio
import random
from typing import Final
from uuid import UUID

from attrs import define, field

from tests.chaos.book import Book
from tests.chaos.client import Client

EVERY_S: Final = 0.4
_CANCELLED: Final = frozenset({"scheduled", "slow", "long"})
_BURIED: Final = frozenset({"hopeless"})
_DONE, _ASKED, _REFUSED = 200, 202, 409


@define(kw_only=True)
class Operating:
    """Acts on a few of the jobs that were accepted, each once."""

    client: Client
    book: Book
    chance: random.Random
    _seen: int = field(default=0, init=False)
    _dead: list[UUID] = field(factory=list, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Act until ``stop``."""
        while not stop.is_set():
            await asyncio.sleep(EVERY_S)
            fresh = self._fresh()
            if waiting := [job_id for job_id, kind in fresh if kind in _CANCELLED]:
                await self._cancel(self.chance.choice(waiting))
            self._dead += [job_id for job_id, kind in fresh if kind in _BURIED]
            if len(self._dead) > 1:
                # The older half: these have had the time to die.
                job_id = self._dead.pop(self.chance.randrange(len(self._dead) // 2))
                await self._bring_back(job_id) if self.chance.random() < 0.5 else await self._discard(job_id)

    def _fresh(self) -> list[tuple[UUID, str]]:
        """What was accepted since the last look; the newest alone if that is much."""
        entries = list(self.book.kind_of.items())[max(self._seen, self.book.accepted - 500) :]
        self._seen = self.book.accepted
        return entries

    async def _cancel(self, job_id: UUID) -> None:
        status = await self.client.operate(job_id, "cancel")
        if status == _DONE:
            self.book.must_end(job_id, "cancelled")
        elif status in {_ASKED, None}:
            self.book.may_end(job_id, "cancelled")
        self._note("cancel", job_id, status)

    async def _bring_back(self, job_id: UUID) -> None:
        status = await self.client.operate(job_id, "requeue", {"payload": {}})
        if status == _DONE:
            self.book.must_end(job_id, "succeeded")
        elif status is None:
            self.book.may_end(job_id, "succeeded")
        self._note("requeue", job_id, status)

    async def _discard(self, job_id: UUID) -> None:
        status = await self.client.operate(job_id, "discard")
        if status == _DONE:
            self.book.must_end(job_id, "discarded")
        elif status is None:
            self.book.may_end(job_id, "discarded")
        self._note("discard", job_id, status)

    def _note(self, verb: str, job_id: UUID, status: int | None) -> None:
        self.book.operations[f"{verb}: {'no answer' if status is None else status}"] += 1
        if status not in {_DONE, _ASKED, _REFUSED, None}:
            self.book.wrongs.append(f"{verb} of the accepted job {job_id} was answered {status}")
