"""The laws that the adversary tries to break, and the peace after it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant

from jobmill.domain.states import TERMINAL, JobState

from tests.ledger import Ledger
from tests.nodes import Node
from tests.virtual_time import VirtualTimeLoop
from tests.world import World

Answer = TypeVar("Answer")

#: The faults are over. Forty jobs of 20 s and three attempts take a while with one slot.
PEACE_S: Final = 7_200.0


class DeliveryLaws(RuleBasedStateMachine):
    """A world, and what has to be true of it after every move and in the end."""

    world: World
    ledger: Ledger
    concurrency: int

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self.keyed: dict[str, UUID] = {}
        self.accepted: set[UUID] = set()
        self.some_notice_is_lost = False

    def does(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(work)

    @property
    def living(self) -> list[Node]:
        return [node for node in self.world.nodes[1:] if node.is_alive]

    @invariant()
    def no_law_of_a_single_save_is_broken(self) -> None:
        """Invariants 2, 3, 4, 10 and 11."""
        assert self.ledger.broken == []

    @invariant()
    def accepted_jobs_are_there(self) -> None:
        """Invariant 1, its first half."""
        assert self.accepted <= self.ledger.keys()

    @invariant()
    def no_two_believe_in_one_job(self) -> None:
        """Invariant 5."""
        assert self.world.overlaps == []

    @invariant()
    def nobody_starts_a_handler_without_holding_the_job(self) -> None:
        """Invariants 5 and 10: the row was running, at this attempt, when the handler began."""
        assert self.world.strangers == []

    @invariant()
    def handlers_do_not_run_more_often_than_attempts_were_counted(self) -> None:
        """Invariant 4."""
        for job in self.ledger.values():
            since = self.ledger.requeued_at.get(job.id, 0)
            runs = [ran for ran in self.world.runs_of(job) if ran.version > since]
            assert len(runs) <= job.attempt + job.postpones

    @invariant()
    def what_succeeded_has_run_to_its_end(self) -> None:
        for job in self.ledger.values():
            if job.state is JobState.SUCCEEDED:
                assert any(r.returned and r.version == job.version - 1 for r in self.world.runs_of(job))

    def teardown(self) -> None:
        """The adversary has had enough: now every job ends (invariants 1 and 7), and nothing is left over."""
        if not hasattr(self, "world"):
            return
        try:
            self.does(self.peace())
        finally:
            self.runner.close()

    async def peace(self) -> None:
        world = self.world
        for node in [world.client, *self.living]:
            node.cable.trouble = lambda _moment: None
            node.bus.faults = lambda _moment, _parcel: None
            node.bus.reconnect()
        if not self.living:
            world.node(concurrency=self.concurrency)
        if self.some_notice_is_lost:  # a single lost notice is found when the broker is refilled
            world.broker_loses_everything()
        try:
            await world.until(self.all_is_over, within_s=PEACE_S)
        finally:
            for node in self.living:
                node.kill()
        for check in (
            self.no_law_of_a_single_save_is_broken,
            self.no_two_believe_in_one_job,
            self.nobody_starts_a_handler_without_holding_the_job,
            self.handlers_do_not_run_more_often_than_attempts_were_counted,
            self.what_succeeded_has_run_to_its_end,
        ):
            check()

    def all_is_over(self) -> bool:
        world = self.world
        jobs_ended = all(job.state in TERMINAL for job in self.ledger.values())
        return jobs_ended and not (world.ready or world.unanswered or world.tables.outbox)
