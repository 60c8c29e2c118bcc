"""The whole delivery against an adversary: the invariants of the protocol, on the real services.

The adversary drops, doubles and returns messages, empties the broker, kills workers, cuts their lines, leaves
them in doubt about what the store did, and sets the store's clock forward. Between its moves virtual time
passes. When it has had enough, the faults end, and every accepted job has to come to its one end.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from jobmill.application.commands import SubmitJob
from jobmill.application.errors import StaleJob, Unavailable
from jobmill.domain.errors import IllegalTransition
from jobmill.domain.options import JobOptions

from tests.ledger import Ledger
from tests.nodes import Node
from tests.property.adversity import (
    BUS_TROUBLES,
    LINES,
    PAYLOADS,
    TROUBLES,
    BusTrouble,
    bus_trouble,
    store_trouble,
    work,
)
from tests.property.delivery_laws import DeliveryLaws
from tests.world import World

Answer = TypeVar("Answer")

NODES_MAX: Final = 3
JOBS_MAX: Final = 40


class Delivery(DeliveryLaws):
    """Moves of the adversary. Each runs on one loop, whose time stands still in between."""

    @initialize(
        seed=st.integers(0, 2**16), concurrency=st.sampled_from([1, 2, 10]), broker_loses=st.booleans()
    )
    def a_world(self, seed: int, concurrency: int, broker_loses: bool) -> None:
        """A broker that loses things gets refilled, which would hide what we lose ourselves."""

        async def make() -> World:
            return World(work=work, seed=seed, timeout=timedelta(seconds=60))

        self.concurrency = concurrency
        self.broker_loses = broker_loses
        self.world = self.does(make())
        self.ledger = self.world.tables.jobs = Ledger(self.world.clock.now)
        self.add_worker()

    # ---- clients

    @precondition(lambda self: len(self.accepted) < JOBS_MAX)
    @rule(
        payload=PAYLOADS,
        count=st.sampled_from([1, 1, 3, 12]),
        delay=st.sampled_from([None, None, 0.5, 8.0]),
        ttl=st.sampled_from([None, None, None, 2.0]),
    )
    def submit(self, payload: dict[str, Any], count: int, delay: float | None, ttl: float | None) -> None:
        options = JobOptions(
            delay=None if delay is None else timedelta(seconds=delay),
            ttl=None if ttl is None else timedelta(seconds=ttl),
        )
        self.accept([SubmitJob(type="work", payload=payload, options=options)] * count)

    @rule(key=st.sampled_from(["a", "b"]))
    def submit_with_a_key(self, key: str) -> None:
        """An idempotency key makes one job."""
        command = SubmitJob(type="work", payload={"s": 0.3}, options=JobOptions(idempotency_key=key))
        for job_id in self.accept([command]):
            assert self.keyed.setdefault(key, job_id) == job_id

    def accept(self, commands: list[SubmitJob]) -> list[UUID]:
        try:
            accepted = self.does(self.world.client.submitter.submit(commands))
        except Unavailable:
            return []
        ids = [each.job.id for each in accepted]
        self.accepted.update(ids)
        return ids

    @precondition(lambda self: self.accepted)
    @rule(which=st.integers(0, JOBS_MAX), verb=st.sampled_from(["cancel", "requeue"]))
    def operate(self, which: int, verb: str) -> None:
        job_id = sorted(self.accepted)[which % len(self.accepted)]
        operator = self.world.client.operator
        try:
            self.does(operator.cancel(job_id) if verb == "cancel" else operator.requeue(job_id))
        except (IllegalTransition, StaleJob, Unavailable):
            pass

    # ---- time

    @rule(seconds=st.sampled_from([0.05, 0.4, 1.1, 3.0, 7.0, 16.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.does(self.world.passes(seconds))

    @rule(count=st.integers(1, 12))
    def the_loop_turns(self, count: int) -> None:
        """Stop in the middle of whatever is going on."""
        self.does(self.world.turns(count))

    @rule(seconds=st.sampled_from([5, 30, 600]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.world.clock.offset += timedelta(seconds=seconds)

    # ---- the broker

    @rule()
    def everything_is_doubled(self) -> None:
        if self.world.ready < 4 * JOBS_MAX:
            self.broker_does(self.world.broker.double_everything)

    @rule()
    def everything_comes_again(self) -> None:
        self.broker_does(lambda: self.world.broker.redeliver(self.world.broker.held))

    @precondition(lambda self: self.broker_loses)
    @rule()
    def a_message_is_lost(self) -> None:
        def lose() -> None:
            lines = self.world.broker._lines
            lost = [lane for lane in lines if self.world.broker.drop(lane)]
            self.some_notice_is_lost |= bool(lost)

        self.broker_does(lose)

    @precondition(lambda self: self.broker_loses)
    @rule()
    def everything_is_lost(self) -> None:
        self.broker_does(self.world.broker_loses_everything)

    def broker_does(self, what: Callable[[], object]) -> None:
        async def do() -> None:
            what()

        self.does(do())

    # ---- the workers and their lines

    @precondition(lambda self: len(self.living) < NODES_MAX)
    @rule()
    def add_worker(self) -> None:
        async def add() -> None:
            self.world.node(concurrency=self.concurrency)

        self.does(add())

    @precondition(lambda self: self.living)
    @rule(which=st.integers(0, NODES_MAX))
    def kill_worker(self, which: int) -> None:
        async def kill() -> None:
            self.one(which).kill()

        self.does(kill())

    @precondition(lambda self: self.living)
    @rule(which=st.integers(0, NODES_MAX))
    def stop_worker(self, which: int) -> None:
        """Its connection ends with it."""
        node = self.one(which)
        self.does(node.stop())
        self.broker_does(node.bus.disconnect)

    @rule(which=st.integers(0, NODES_MAX), codes=TROUBLES)
    def the_store_answers_badly(self, which: int, codes: list[int]) -> None:
        self.any_one(which).cable.trouble = store_trouble(codes)

    @rule(which=st.integers(0, NODES_MAX), line=st.sampled_from(sorted(LINES)))
    def the_line_to_the_store(self, which: int, line: str) -> None:
        """It stays so until it is told otherwise."""
        self.any_one(which).cable.trouble = LINES[line]

    @rule(line=st.sampled_from(sorted(LINES)), seconds=st.sampled_from([2.0, 16.0, 40.0]))
    def the_store_fails_everybody(self, line: str, seconds: float) -> None:
        """An outage, after which all is well again."""
        nodes = [self.world.client, *self.living]
        for node in nodes:
            node.cable.trouble = LINES[line]
        self.does(self.world.passes(seconds))
        for node in nodes:
            node.cable.trouble = LINES["up"]

    @rule(which=st.integers(0, NODES_MAX), is_up=st.booleans())
    def the_line_to_the_broker(self, which: int, is_up: bool) -> None:
        bus = self.any_one(which).bus
        self.broker_does(bus.reconnect if is_up else bus.disconnect)

    @rule(which=st.integers(0, NODES_MAX), outcomes=BUS_TROUBLES)
    def the_broker_answers_badly(self, which: int, outcomes: list[BusTrouble]) -> None:
        self.any_one(which).bus.faults = bus_trouble(outcomes)

    def one(self, which: int) -> Node:
        return self.living[which % len(self.living)]

    def any_one(self, which: int) -> Node:
        """A worker or the client."""
        living = [self.world.client, *self.living]
        return living[which % len(living)]


#: Not shrunk: that takes longer than reading forty steps. JOBMILL_TEST_EXAMPLES asks for a longer search.
TestDelivery = pytest.mark.timeout(600)(Delivery.TestCase)
TestDelivery.settings = settings(
    max_examples=int(os.environ.get("JOBMILL_TEST_EXAMPLES", "60")),
    stateful_step_count=40,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
