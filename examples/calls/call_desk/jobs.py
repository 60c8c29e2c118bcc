"""The one type of job: a call is placed, and placed again later where the line is busy."""

from datetime import timedelta

from attrs import frozen

from jobmill import JobContext, JobHandlers, PermanentFailure, RetryPolicy

from call_desk.telephone import Busy, NoSuchNumber, dial

handlers = JobHandlers()

#: The third and last attempt begins 0.6 s after the first; real lines are busy for longer.
RETRY = RetryPolicy(max_attempts=3, base=timedelta(seconds=0.1))


@frozen
class Call:
    """What a message asks for; its ``attempt`` and ``timestamp`` stand in the job's ``origin``."""

    call_id: str
    phone_number: str


@handlers.register("call.process", queue="calls", retry=RETRY, log_fields=("call_id",))
async def process(call: Call, job: JobContext) -> dict[str, float]:
    """Place a call; every line of the log has its ``call_id``."""
    try:
        seconds = await dial(call.phone_number, attempt=job.attempt)
    except Busy:
        job.log.info("the line is busy")
        raise  # tried again, with a growing pause between
    except NoSuchNumber as error:
        raise PermanentFailure(str(error)) from error  # no attempt will change that: a dead letter at once
    job.log.info("answered")
    return {"seconds": seconds}
