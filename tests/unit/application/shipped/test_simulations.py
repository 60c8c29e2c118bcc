"""The job type ``simulate``: it takes its time, and fails when and how it is told."""

import asyncio
from typing import NoReturn
from uuid import UUID

import pytest
from attrs import define, field

from jobmill.application.handlers import JobHandlers, PermanentFailure, TransientFailure
from jobmill.application.ports.clock import Entropy
from jobmill.application.ports.providers import Crash
from jobmill.application.shipped import simulate_handlers
from jobmill.domain.retry_policy import RetryPolicy

from tests.unit.application.shipped.attempts import JOB_ID, an_attempt, faults_of, run_one
from tests.virtual_time import virtually


class Crashed(BaseException):
    """Stands for the end of the process."""


@define
class FakeCrash(Crash):
    def __call__(self) -> NoReturn:
        raise Crashed


@define
class Dice(Entropy):
    """Chance as written down; it runs out."""

    fractions: list[float] = field(factory=lambda: [0.5])

    def job_id(self) -> UUID:
        return JOB_ID

    def stamp(self) -> int:
        return 0

    def fraction(self) -> float:
        return self.fractions.pop(0)


def simulation(*fractions: float) -> JobHandlers:
    return simulate_handlers(entropy=Dice(list(fractions or [0.5])), crash=FakeCrash())


@virtually
async def test_it_takes_its_time_and_says_how_long() -> None:
    result = await run_one(simulation(), {"duration_s": 3_600})

    assert result == {"duration_s": 3_600.0}
    assert asyncio.get_running_loop().time() == pytest.approx(3_600)


@virtually
async def test_without_wishes_it_takes_a_twentieth_of_a_second() -> None:
    assert await run_one(simulation(), {}) == {"duration_s": 0.05}


@virtually
async def test_the_first_attempts_fail_and_the_next_one_succeeds() -> None:
    handlers = simulation(0.5, 0.5, 0.5)

    for attempt in (1, 2):
        with pytest.raises(TransientFailure, match=r"^simulated failure$"):
            await run_one(handlers, {"fail_first": 2}, an_attempt(attempt=attempt))
    assert await run_one(handlers, {"fail_first": 2}, an_attempt(attempt=3))


@virtually
async def test_it_fails_after_its_work_not_before() -> None:
    with pytest.raises(TransientFailure):
        await run_one(simulation(), {"duration_s": 5, "fail_first": 1})

    assert asyncio.get_running_loop().time() == pytest.approx(5)


@virtually
async def test_a_permanent_failure_says_so() -> None:
    with pytest.raises(PermanentFailure, match=r"^simulated failure \(permanent\)$"):
        await run_one(simulation(), {"fail_first": 1, "failure": "permanent"})


@virtually
async def test_chance_decides_by_the_rate() -> None:
    handlers = simulation(0.29, 0.3)

    with pytest.raises(TransientFailure):
        await run_one(handlers, {"failure_rate": 0.3})
    assert await run_one(handlers, {"failure_rate": 0.3})


@virtually
async def test_a_rate_of_one_always_fails_and_a_rate_of_nothing_never() -> None:
    with pytest.raises(TransientFailure):
        await run_one(simulation(0.999_999), {"failure_rate": 1})
    assert await run_one(simulation(0.0), {"failure_rate": 0})


@virtually
async def test_a_timeout_hangs_until_somebody_ends_it() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(86_400):
            await run_one(simulation(), {"fail_first": 1, "failure": "timeout"})


@virtually
async def test_a_crash_ends_the_process() -> None:
    with pytest.raises(Crashed):
        await run_one(simulation(), {"fail_first": 1, "failure": "crash"})


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"duration_s": -0.001}, "/duration_s"),
        ({"duration_s": 86_400.5}, "/duration_s"),
        ({"duration_s": True}, "/duration_s"),
        ({"fail_first": -1}, "/fail_first"),
        ({"fail_first": 1.5}, "/fail_first"),
        ({"failure_rate": 1.1}, "/failure_rate"),
        ({"failure_rate": -0.1}, "/failure_rate"),
        ({"failure": "explosion"}, "/failure"),
        ({"seconds": 1}, "/seconds"),
    ],
)
def test_nonsense_is_refused_in_its_place(payload: dict[str, object], place: str) -> None:
    assert list(faults_of(simulation(), payload)) == [place]


def test_all_faults_are_told_at_once() -> None:
    payload = {"duration_s": -1, "fail_first": -1, "failure_rate": 2}

    assert list(faults_of(simulation(), payload)) == ["/duration_s", "/fail_first", "/failure_rate"]


def test_the_type_has_its_own_queue_and_the_default_retry_policy() -> None:
    [declared] = simulation()

    assert (declared.name, declared.rules.queue) == ("simulate", "simulate")
    assert declared.rules.retry == RetryPolicy()


def test_the_schema_names_every_field_with_its_default() -> None:
    [declared] = simulation()

    schema = declared.schema.components["Simulation"]

    assert isinstance(schema, dict)
    assert {name: field["default"] for name, field in schema["properties"].items()} == {
        "duration_s": 0.05,
        "fail_first": 0,
        "failure_rate": 0.0,
        "failure": "transient",
    }
    assert schema["properties"]["failure"]["enum"] == ["crash", "permanent", "timeout", "transient"]
