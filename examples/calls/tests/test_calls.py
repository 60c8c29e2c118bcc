"""Calls as jobs, in virtual time: which go first, which are one, and what becomes of them."""

from collections.abc import Sequence

import pytest

from jobmill import JobHandlers, JobState, Priority
from jobmill.testing import VirtualMill

from call_desk import jobs
from call_desk.messages import CALL_QUEUE, URGENT_CALL_QUEUE, message
from call_desk.sending import submit
from call_desk.telephone import BUSY_TWICE, NOBODY, SOMEBODY


@pytest.fixture
def jobmill_handlers() -> Sequence[JobHandlers]:
    return [jobs.handlers]


async def test_a_call_that_is_asked_for_again_is_the_job_that_it_became(mill: VirtualMill) -> None:
    for _ in range(2):
        await submit(mill, [message("c-1", SOMEBODY)], CALL_QUEUE)
    await submit(mill, [message("c-2", SOMEBODY)], URGENT_CALL_QUEUE)

    listed = await mill.list(type="call.process")

    assert [(job.payload["call_id"], job.priority) for job in listed] == [
        ("c-2", Priority.HIGH),
        ("c-1", Priority.NORMAL),
    ]


async def test_a_busy_line_is_tried_again_and_nobody_is_not(mill: VirtualMill) -> None:
    await submit(mill, [message("busy", BUSY_TWICE), message("wrong", NOBODY)], CALL_QUEUE)

    await mill.run_until_idle()

    ended = {job.payload["call_id"]: job for job in await mill.list(type="call.process")}
    assert (ended["busy"].status, ended["busy"].attempts) == (JobState.SUCCEEDED, 3)
    assert (ended["wrong"].status, ended["wrong"].attempts) == (JobState.FAILED, 1)
