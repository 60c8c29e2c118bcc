"""A provider goes down for a minute under load; two workers that share its breaker carry on by themselves."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

from attrs import define, field, frozen

from jobmill import JobContext, JobHandlers, JobState, RetryAfter, RetryPolicy
from jobmill.application.local_buckets import LocalTokenBuckets
from jobmill.application.ports.guard import CallResult, Shut
from jobmill.application.provider_guard import Protection
from jobmill.testing import VirtualMill
from jobmill.testing.node import NODE, Node

SMS = "sms:twilio"
DOWN_FROM_S, DOWN_UNTIL_S = 30.0, 90.0
SUBMITTED_FOR_S, PER_S = 120, 2
CALL_S = 0.2


@define
class FlakyProvider:
    """Is down for a minute, and remembers every call."""

    calls: Counter[UUID] = field(factory=Counter)
    failed_at_s: list[float] = field(factory=list)
    probing: int = 0
    probing_most: int = 0

    async def send(self, job_id: UUID, *, is_probe: bool) -> CallResult:
        now_s = asyncio.get_running_loop().time()
        self.calls[job_id] += 1
        self.probing += is_probe
        self.probing_most = max(self.probing_most, self.probing)
        await asyncio.sleep(CALL_S)
        self.probing -= is_probe
        if DOWN_FROM_S <= now_s < DOWN_UNTIL_S:
            self.failed_at_s.append(now_s)
            return CallResult.FAILED
        return CallResult.SUCCEEDED


@define
class Guards:
    """The guard of each process."""

    each: dict[str, Protection] = field(factory=dict)
    running: list[asyncio.Task[None]] = field(factory=list)

    def here(self) -> Protection:
        """That of the process whose handler runs."""
        node = NODE.get()
        assert node is not None
        if node.name not in self.each:
            self.each[node.name] = self._of(node)
        return self.each[node.name]

    def _of(self, node: Node) -> Protection:
        guard = Protection(
            clock=node.clock, entropy=node.entropy, observer=node.notes, buckets=LocalTokenBuckets()
        )
        guard.share(node.store.providers, clock=node.clock, observer=node.notes)
        self.running.append(node.task(guard.run()))
        return guard


@frozen
class Text:
    to: str


async def test_no_attempt_is_burnt_one_probe_is_made_at_a_time_and_it_recovers_by_itself() -> None:
    provider, guards, handlers = FlakyProvider(), Guards(), JobHandlers()
    turned_away_at_s: list[float] = []

    @handlers.register("text", retry=RetryPolicy(max_attempts=5))
    async def text(_text: Text, job: JobContext) -> None:
        guard = guards.here()
        answer = await guard.ask(SMS, attempt=job.attempt)
        if isinstance(answer, Shut):
            turned_away_at_s.append(asyncio.get_running_loop().time())
            raise RetryAfter(answer.wait, answer.reason, counts=False)
        result = await provider.send(job.job_id, is_probe=answer.is_probe)
        await guard.tell(answer, result)
        if result is not CallResult.SUCCEEDED:
            raise RuntimeError("the provider is down")

    async with VirtualMill(handlers, workers=2, concurrency=20) as mill:
        jobs = []
        for _ in range(SUBMITTED_FOR_S):
            jobs += [await mill.submit(text, Text(to="+1555")) for _ in range(PER_S)]
            await mill.advance(timedelta(seconds=1))
        await mill.run_until_idle()
        ended = [await mill.job(job) for job in jobs]

        assert len(guards.each) == 2
        assert {job.status for job in ended} == {JobState.SUCCEEDED}
        assert {
            job.id: job.attempts for job in ended
        } == provider.calls  # an attempt for each call, none else
        probed = [at_s for at_s in provider.failed_at_s if at_s > turned_away_at_s[0] + 2]
        assert len(probed) == 1  # half a minute after it opened; the next one finds the provider back
        assert len(turned_away_at_s) > 60
        assert provider.probing_most == 1
        assert mill.now < ended[0].created_at + timedelta(seconds=SUBMITTED_FOR_S + 180)
