"""The peers on RabbitMQ: Celery, Dramatiq, Taskiq, FastStream."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.systems.peer import Facts
from benchmarks.systems.system import Pace, Purpose, Setting

_CELERY: Final = "docs.celeryq.dev, User Guide"
_DRAMATIQ: Final = "dramatiq.io"
_TASKIQ: Final = "taskiq-python.github.io"
_FASTSTREAM: Final = "faststream.ag2.ai, RabbitMQ"


def _for_all(options: Mapping[str, Any], **others: Mapping[str, Any]) -> dict[Purpose, Mapping[str, Any]]:
    return {purpose: others.get(purpose.value, options) for purpose in Purpose}


CELERY: Final = Facts(
    name="celery",
    title="Celery 5.7",
    keeps="nothing",
    module="benchmarks.peers.celery_app",
    worker=(
        "{bin}/celery -A benchmarks.peers.celery_app worker -P {pool} -c {processes} -l WARNING "
        "--without-gossip --without-mingle -n worker{number}@bench"
    ),
    options=_for_all(
        {"pool": "prefork", "processes": 2, "prefetch": 64},
        latency={"pool": "prefork", "processes": 2, "prefetch": 4},
        io={"pool": "threads", "processes": 500, "prefetch": 1},
    ),
    settings=(
        Setting(
            name="task_acks_late, delivery_mode persistent, confirm_publish",
            why="no job is lost: as durable as the others",
            source=f"{_CELERY}: Configuration",
        ),
        Setting(
            name="-P prefork -c 2",
            why="a process for each core; threads were slower for jobs that do nothing",
            source=f"{_CELERY}: Workers, Concurrency",
        ),
        Setting(
            name="worker_prefetch_multiplier 64 (drain), 4 (latency), 1 (io)",
            why="“64, or 128” for many short jobs, 1 for long ones",
            source=f"{_CELERY}: Optimizing, Prefetch Limits",
        ),
        Setting(
            name="-P threads -c 500 (io)",
            why="the fastest for jobs that wait; with gevent it ran jobs twice here",
            source=f"{_CELERY}: Concurrency",
        ),
        Setting(
            name="--without-gossip --without-mingle, broker_pool_limit 32",
            why="no talk between workers; a connection for each submitting thread",
            source=f"{_CELERY}: Optimizing, Broker Connection Pools",
        ),
    ),
    pace=Pace(single=750, drain=1_000, io=850),
    threaded=True,
    queues=("celery",),
    exchanges=("celery",),
)

_CONFIRMS: Final = Setting(
    name="confirm_delivery=True",
    why="as durable as the others; acknowledgement after the job is its default",
    source=f"{_DRAMATIQ}: Reference, RabbitmqBroker",
)


def _dramatiq(
    name: str, *, title: str, command: str, threads: int, waiting: int, drain: int, io: int
) -> Facts:
    return Facts(
        name=name,
        title=title,
        keeps="nothing",
        module="benchmarks.peers.dramatiq_app",
        worker=f"{{bin}}/{command} benchmarks.peers.dramatiq_app -p 1 -t {{threads}}",
        options=_for_all({"threads": threads}, io={"threads": waiting}),
        settings=(
            _CONFIRMS,
            Setting(
                name=f"{command} -p 1 -t {threads}, {waiting} (io)",
                why="one process, like the others; prefetch is twice as many by default",
                source=f"{_DRAMATIQ}: Guide, Workers; Advanced Topics, gevent",
            ),
        ),
        pace=Pace(single=1_700, drain=drain, io=io),
        threaded=True,
        queues=("dramatiq", "dramatiq.DQ", "dramatiq.XQ"),
    )


DRAMATIQ_THREADS: Final = _dramatiq(
    "dramatiq-threads",
    title="Dramatiq 2.2, threads",
    command="dramatiq",
    threads=8,
    waiting=500,
    drain=1_800,
    io=900,
)
DRAMATIQ_GEVENT: Final = _dramatiq(
    "dramatiq-gevent",
    title="Dramatiq 2.2, gevent",
    command="dramatiq-gevent",
    threads=100,
    waiting=1_000,
    drain=2_700,
    io=1_900,
)

TASKIQ: Final = Facts(
    name="taskiq",
    title="Taskiq 0.13",
    keeps="nothing",
    module="benchmarks.peers.taskiq_app",
    worker=(
        "{bin}/taskiq worker benchmarks.peers.taskiq_app:broker -w 1 --log-level WARNING "
        "--max-async-tasks {tasks} --max-prefetch 0"
    ),
    options=_for_all({"tasks": 100, "qos": 200}, io={"tasks": 1_000, "qos": 1_000}),
    settings=(
        Setting(
            name="AioPikaBroker(qos=200), 1,000 (io)",
            why="its default of 10 caps the jobs in hand at 10, whatever else is set",
            source=f"{_TASKIQ}: Available brokers, AioPika",
        ),
        Setting(
            name="-w 1 --max-async-tasks 100, 1,000 (io)",
            why="one process, like the others",
            source=f"{_TASKIQ}: CLI, Worker",
        ),
        Setting(
            name="durable classic queue, acknowledged when executed",
            why="its defaults; quorum queues were slower",
            source=f"{_TASKIQ}: Available brokers, AioPika",
        ),
    ),
    pace=Pace(single=2_200, drain=1_500, io=1_200),
    queues=("taskiq", "taskiq.dead", "taskiq.delay"),
    exchanges=("taskiq",),
)

FASTSTREAM: Final = Facts(
    name="faststream",
    title="FastStream 0.7",
    keeps="nothing",
    module="benchmarks.peers.faststream_app",
    worker="{bin}/faststream run benchmarks.peers.faststream_app:app --log-level warning",
    options=_for_all({"prefetch": 200}, io={"prefetch": 1_000}),
    settings=(
        Setting(
            name="Channel(prefetch_count=200), 1,000 (io)",
            why="without it the queue has no bound; 200 was the fastest",
            source=f"{_FASTSTREAM}: Subscription",
        ),
        Setting(
            name="AckPolicy.NACK_ON_ERROR, persist=True, durable classic queue",
            why="as durable as the others",
            source=f"{_FASTSTREAM}: Acknowledgement; Publishing",
        ),
        Setting(
            name="logger=None", why="no line per message", source="faststream.ag2.ai: Observability, Logging"
        ),
    ),
    pace=Pace(single=2_300, drain=2_100, io=1_350),
    queues=("faststream",),
)

ON_RABBITMQ: Final[Sequence[Facts]] = (CELERY, DRAMATIQ_THREADS, DRAMATIQ_GEVENT, TASKIQ, FASTSTREAM)
