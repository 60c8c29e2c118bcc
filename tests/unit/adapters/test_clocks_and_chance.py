"""Clocks and chance: the real ones, and those that tests turn."""

import threading
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest

from jobmill.adapters.memory import ManualClock, SeededEntropy
from jobmill.adapters.system import SystemClock, SystemEntropy
from jobmill.application.ports.clock import Entropy

from tests.builders import HOUR, MINUTE, NOW

VARIANT_RFC = "specified in RFC 4122"


def test_the_system_clock_tells_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert before <= now <= datetime.now(UTC)


def test_a_manual_clock_goes_where_it_is_told() -> None:
    clock = ManualClock(time=NOW)

    clock.advance(HOUR)
    assert clock.now() == NOW + HOUR
    clock.set(NOW - MINUTE)
    assert clock.now() == NOW - MINUTE


@pytest.mark.parametrize("entropy", [SystemEntropy(), SeededEntropy(1)], ids=["system", "seeded"])
class TestAnyEntropy:
    def test_ids_are_of_version_7_and_sort_in_the_order_of_their_making(self, entropy: Entropy) -> None:
        ids = [entropy.job_id() for _ in range(10_000)]

        assert ids == sorted(ids)
        assert len(set(ids)) == len(ids)
        assert {(each.version, each.variant) for each in ids} == {(7, VARIANT_RFC)}

    def test_a_stamp_is_any_signed_number_of_64_bits(self, entropy: Entropy) -> None:
        drawn = [entropy.stamp() for _ in range(2_000)]

        assert all(-(2**63) <= stamp < 2**63 for stamp in drawn)
        assert len(set(drawn)) == len(drawn)
        assert min(drawn) < -(2**62) < 2**62 < max(drawn)

    def test_a_fraction_is_below_one(self, entropy: Entropy) -> None:
        drawn = [entropy.fraction() for _ in range(2_000)]

        assert all(0 <= fraction < 1 for fraction in drawn)
        assert min(drawn) < 0.1 < 0.9 < max(drawn)


def milliseconds_of(job_id: UUID) -> int:
    return job_id.int >> 80


def test_an_id_tells_the_millisecond_of_its_making() -> None:
    assert milliseconds_of(SystemEntropy(milliseconds=lambda: 1_234).job_id()) == 1_234


def test_the_clock_of_ids_is_the_wall_clock() -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    made = milliseconds_of(SystemEntropy().job_id())

    assert before <= made <= int(datetime.now(UTC).timestamp() * 1000)


def test_ids_of_one_millisecond_sort_too() -> None:
    entropy = SystemEntropy(milliseconds=lambda: 1_234)
    ids = [entropy.job_id() for _ in range(10_000)]

    assert ids == sorted(ids)
    assert {milliseconds_of(each) for each in ids} == {1_234}


def test_ids_go_on_when_the_wall_clock_goes_back() -> None:
    times = iter([5_000, 1_000, 4_999, 5_001])
    entropy = SystemEntropy(milliseconds=lambda: next(times))
    ids = [entropy.job_id() for _ in range(4)]

    assert ids == sorted(ids)
    assert [milliseconds_of(each) for each in ids] == [5_000, 5_000, 5_000, 5_001]


def test_a_millisecond_that_is_full_runs_over_into_the_next() -> None:
    entropy = SystemEntropy(milliseconds=lambda: 1_234)
    first = entropy.job_id()
    entropy._tail = 2**74 - 1
    second = entropy.job_id()

    assert second > first
    assert milliseconds_of(second) == 1_235
    assert second.version == 7


def test_nobody_guesses_an_id_from_its_neighbour() -> None:
    entropy = SystemEntropy(milliseconds=lambda: 1_234)
    ids = [entropy.job_id().int for _ in range(1_000)]

    steps = {later - earlier for earlier, later in pairwise(ids)}
    assert len(steps) > 990


def test_threads_share_a_source_of_ids() -> None:
    entropy = SystemEntropy()
    drawn: list[list[UUID]] = [[] for _ in range(4)]

    def draw(into: list[UUID]) -> None:
        into.extend(entropy.job_id() for _ in range(2_000))

    threads = [threading.Thread(target=draw, args=(into,)) for into in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(ids == sorted(ids) for ids in drawn)
    assert len({job_id for ids in drawn for job_id in ids}) == 8_000


def test_a_seed_repeats_itself_and_no_other() -> None:
    one, same, other = SeededEntropy(1), SeededEntropy(1), SeededEntropy(2)

    def draws(entropy: SeededEntropy) -> tuple[object, ...]:
        return entropy.job_id(), entropy.stamp(), entropy.fraction(), entropy.job_id()

    assert draws(one) == draws(same) != draws(other)


def test_threads_are_handed_no_stamp_twice() -> None:
    entropy = SystemEntropy()
    drawn: list[int] = []

    def draw() -> None:
        drawn.extend(entropy.stamp() for _ in range(2_000))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(drawn)) == 8_000
