"""What a stretch of work cost is told apart by whom it belongs to."""

import os

import pytest

from benchmarks import meter
from benchmarks.meter import Cost, Reading
from benchmarks.processes import cpu_of, family, peak_mb, process_table
from benchmarks.servers import Servers, listener


def a_reading(**seconds: float) -> Reading:
    return Reading(
        **{"at": 0.0, "host": 0.0, "ours": 0.0, "workers": 0.0, "rabbit": 0.0, "postgres": 0.0, **seconds}
    )


def test_what_is_neither_ours_nor_the_servers_is_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "_CORES", 2)
    after = a_reading(at=10.0, host=12.0, ours=5.0, workers=4.0, rabbit=2.0, postgres=1.0)

    cost = Cost.between(a_reading(), after)

    assert cost.foreign == pytest.approx(4.0 / 20)
    assert (cost.seconds, cost.workers) == (10.0, 4.0)


def test_nothing_foreign_is_not_less_than_nothing() -> None:
    assert Cost.between(a_reading(), a_reading(at=1.0, host=0.99, ours=1.0)).foreign == 0.0


def test_a_cost_is_shared_among_jobs() -> None:
    cost = Cost(seconds=1.0, workers=0.5, rabbit=0.1, postgres=0.2, foreign=0.0)

    assert cost.per_job(1_000) == pytest.approx(
        {"worker_us": 500.0, "rabbitmq_us": 100.0, "postgresql_us": 200.0}
    )


def test_a_process_is_of_its_parents_family_and_uses_time_and_memory() -> None:
    table = process_table()

    assert os.getpid() in {each.pid for each in family(os.getppid(), table)}
    assert cpu_of([os.getpid()]) > 0
    assert peak_mb([os.getpid()]) > 1
    assert family(-1, table) == []


def test_a_server_is_found_by_its_port(unused_port: int) -> None:
    assert listener(unused_port) == 0


def test_the_connections_of_others_are_told_from_those_of_a_run() -> None:
    servers = Servers(rabbit_pid=0, postgres_pid=0, prefix="jobmill_bench_1")

    assert servers.is_foreign("postgres: ada shop 127.0.0.1(51234) idle")
    assert servers.is_foreign("postgres: 15/main: ada shop 127.0.0.1(51234) UPDATE")
    assert not servers.is_foreign("postgres: ada jobmill_bench_1_celery 127.0.0.1(51234) idle")
    assert servers.is_foreign("postgres: ada shop [local] idle")
    assert not servers.is_foreign("postgres: walwriter ")
    assert not servers.is_foreign("/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main")


def test_servers_that_are_elsewhere_cost_nothing_here() -> None:
    servers = Servers(rabbit_pid=0, postgres_pid=0, prefix="jobmill_bench_1")

    assert (servers.rabbit_cpu_s(), servers.postgres_cpu_s()) == (0.0, 0.0)


@pytest.fixture
def unused_port() -> int:
    from benchmarks.bench import free_port

    return free_port()
