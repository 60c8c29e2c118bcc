"""Handlers that hand something on, and those that come after them."""

from attrs import frozen

from jobmill import JobContext, JobHandlers, PermanentFailure

handlers = JobHandlers()


@frozen
class Part:
    number: int = 0
    breaks: bool = False


@frozen
class Nothing:
    pass


@handlers.register("part.make")
async def make(part: Part) -> dict[str, int]:
    if part.breaks:
        raise PermanentFailure("it broke")
    return {"made": part.number}


@handlers.register("part.use")
async def use(_: Nothing, job: JobContext) -> dict[str, object]:
    """Return what came before, so that a test can see it."""
    return {"got": job.previous}


@handlers.register("parts.use")
def use_in_thread(_: Nothing, job: JobContext) -> dict[str, object]:
    return {"got": job.previous}
