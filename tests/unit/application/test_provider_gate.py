"""Jobs of a type wait while its providers are shut, and one of them tries."""

from typing import Any

import pytest
from attrs import define

from jobmill.application.admission import Admission
from jobmill.application.handlers import JobHandlers, Registry
from jobmill.application.hold_times import HOLD_S, SHUT_HOLD_S, SHUT_LOOK_S, HoldTimes
from jobmill.application.holding import Holding
from jobmill.application.ports.guard import Outlook
from jobmill.application.suspects import Suspects
from jobmill.domain.job import Job

from tests.builders import MINUTE, a_job
from tests.received import Received
from tests.unit.application.test_holding import LANE


@define
class Provider:
    """What is seen of it."""

    seen: Outlook = Outlook.CLEAR

    def outlook(self) -> Outlook:
        return self.seen


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def admission(provider: Provider) -> Admission:
    """Jobs of the type sms wait for the provider."""
    handlers = JobHandlers()

    @handlers.register("sms", queue="sms")
    async def sms(payload: dict[str, Any]) -> None: ...
    @handlers.register("loop")
    async def loop(payload: dict[str, Any]) -> None: ...

    handlers.heed("sms", provider.outlook)
    suspects = Suspects(trials_max=2)
    return Admission(suspects=suspects, registry=Registry([handlers]), threads=2, processes=1)


def holding(*types: str, **facts: Any) -> Holding:
    jobs = [a_job(type=each, **({"queue": "sms"} | facts)) for each in types]
    return Holding(Received(), lane=LANE, jobs=jobs, ack_deadline=MINUTE)


def types(jobs: list[Job]) -> list[str]:
    return [job.type for job in jobs]


async def test_a_type_whose_providers_are_shut_waits_and_others_pass(
    provider: Provider, admission: Admission
) -> None:
    provider.seen = Outlook.SHUT
    held = holding("sms", "loop", "sms", "loop")

    assert held.waiting(admission) == 2
    assert types(held.take(10, admission)) == ["loop", "loop"]
    assert types(list(held.todo)) == ["sms", "sms"]


async def test_what_waits_here_begins_when_they_are_back(provider: Provider, admission: Admission) -> None:
    provider.seen = Outlook.SHUT
    held = holding("sms", "sms")
    assert held.waiting(admission) == 0

    provider.seen = Outlook.CLEAR
    assert held.waiting(admission) == 0, "all of a turn goes by one look"
    admission.look()

    assert held.waiting(admission) == 2
    assert len(held.take(10, admission)) == 2


async def test_what_was_free_a_moment_ago_waits_from_then_on(
    provider: Provider, admission: Admission
) -> None:
    held = holding("sms", "sms")
    assert held.waiting(admission) == 2

    provider.seen = Outlook.SHUT
    admission.look()

    assert held.take(10, admission) == []
    assert held.waiting(admission) == 0


async def test_one_job_tries_and_the_next_when_it_is_over(provider: Provider, admission: Admission) -> None:
    provider.seen = Outlook.TRIAL
    held, other = holding("sms", "sms"), holding("sms")

    tries = held.take(10, admission)

    assert len(tries) == 1
    assert (held.waiting(admission), other.waiting(admission)) == (0, 0)
    admission.ended(tries)
    assert (held.waiting(admission), other.waiting(admission)) == (1, 1)


async def test_the_end_of_one_that_had_begun_before_lets_no_second_try(
    provider: Provider, admission: Admission
) -> None:
    early = holding("sms").take(10, admission)
    provider.seen = Outlook.TRIAL
    admission.look()
    held = holding("sms", "sms")
    held.take(10, admission)

    admission.ended(early)

    assert held.waiting(admission) == 0


async def test_nothing_is_different_where_nothing_changed(provider: Provider, admission: Admission) -> None:
    provider.seen = Outlook.SHUT
    holding("sms").waiting(admission)
    edition = admission.edition

    admission.look()

    assert admission.edition == edition


@pytest.mark.parametrize(
    ("seen", "waiting", "hold_s", "least"),
    [
        (Outlook.CLEAR, holding, HOLD_S, 8),
        (Outlook.SHUT, lambda *types: holding(*types, queue="default"), HOLD_S, 8),
        (Outlook.SHUT, lambda *types: holding(*types, "loop"), HOLD_S, 8),
        (Outlook.SHUT, holding, SHUT_HOLD_S, 2),
        (Outlook.TRIAL, holding, SHUT_HOLD_S, 2),
    ],
)
async def test_what_is_in_nobodys_way_is_held_longer_and_goes_back_whole(
    provider: Provider,
    admission: Admission,
    seen: Outlook,
    waiting: Any,  # noqa: ANN401
    hold_s: float,
    least: int,
) -> None:
    provider.seen = seen
    held = waiting("sms", "sms")
    held.waiting(admission)
    times = HoldTimes(admission=admission)

    assert times.returns_at_s(held, slots=1) == held.received_s + hold_s
    assert times.least_parcel(held, slots=1) == least
    wait_s = SHUT_LOOK_S if seen is not Outlook.CLEAR else HOLD_S
    assert times.looks_at_s(held, slots=1) - held.received_s == pytest.approx(wait_s, abs=1e-3)
