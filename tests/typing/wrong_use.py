"""What no type checker may take. A line that one of them takes is told as an ignore without a reason."""

from collections.abc import Sequence
from datetime import timedelta

from jobmill import BatchJob, Client, JobContext, JobHandlers, Submission, SyncClient

from tests.typing.shop_jobs import Charge, Thumbnail, charge, make_thumbnail

handlers = JobHandlers()


async def submits(mill: Client) -> None:
    await mill.submit(charge, Thumbnail("a.png"))  # type: ignore[misc]
    await mill.submit(make_thumbnail, {"picture": "a.png"})  # type: ignore[misc]
    await mill.submit(charge)  # type: ignore[call-overload]
    await mill.submit(charge, Charge(7, "tok_1", 1250), prioritty="high")  # type: ignore[call-overload]
    await mill.submit(charge, Charge(7, "tok_1", 1250), delay=5)  # type: ignore[call-overload]
    await mill.submit(charge, Charge(7, "tok_1", 1250), within="session")  # type: ignore[call-overload]
    await mill.submit("order.charge", 7)  # type: ignore[call-overload]
    await mill.list(status="failed", tags=["eu"])  # type: ignore[arg-type, call-arg]
    await mill.wait(7)  # type: ignore[arg-type]
    await mill.wait("7", timeout=5)  # type: ignore[arg-type]


def submits_sync(mill: SyncClient) -> None:
    mill.submit(charge, Thumbnail("a.png"))  # type: ignore[misc]
    mill.as_sql(charge, Thumbnail("a.png"))  # type: ignore[misc]
    mill.as_sql(charge, Charge(7, "tok_1", 1250), paramstyle="sql")  # type: ignore[arg-type]
    Submission(charge, Charge(7, "t", 1), options={"dellay": timedelta(0)})  # type: ignore[typeddict-unknown-key]


@handlers.register("takes.nothing")  # type: ignore[arg-type]
async def takes_nothing() -> None: ...


@handlers.register("takes.three")  # type: ignore[arg-type]
async def takes_three(order: Charge, job: JobContext, more: int) -> None: ...


@handlers.register("takes.another.context")  # type: ignore[arg-type]
async def takes_another_context(order: Charge, job: int) -> None: ...


@handlers.register("a.name", timeout=20)  # type: ignore[arg-type]
async def has_a_number_for_a_timeout(order: Charge) -> None: ...


@handlers.register_batch("takes.one")  # type: ignore[arg-type]
async def takes_one(order: Charge) -> None: ...


@handlers.register_batch("is.in.a.thread")  # type: ignore[arg-type]
def is_in_a_thread(jobs: Sequence[BatchJob[Charge]]) -> None: ...


@handlers.register_batch("names.what.is.not.there")
async def names_what_is_not_there(jobs: Sequence[BatchJob[Charge]]) -> None:
    jobs[0].payload.amount  # type: ignore[attr-defined]  # noqa: B018
    jobs[0].fail(404)  # type: ignore[arg-type]


async def submits_to_many(mill: Client) -> None:
    await mill.submit(names_what_is_not_there, Thumbnail("a.png"))  # type: ignore[misc]
