"""Notices that came together are shown by one call, and each has an outcome of its own."""

from collections.abc import Sequence

import pytest

from jobmill import JobHandlers, JobState, Submission
from jobmill.testing import VirtualMill

from notification_center import jobs
from notification_center.jobs import InApp, show_digests


@pytest.fixture
def jobmill_handlers() -> Sequence[JobHandlers]:
    return [jobs.handlers]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The entries that were tried to be written, in their order."""
    entries: list[tuple[str, str]] = []
    write = jobs.write

    def noted(user: str, text: str) -> None:
        entries.append((user, text))
        write(user, text)

    monkeypatch.setattr(jobs, "write", noted)
    return entries


async def test_each_user_gets_one_entry_and_one_that_cannot_be_reached_is_no_others_trouble(
    mill: VirtualMill, written: list[tuple[str, str]]
) -> None:
    notices = [InApp("ann", "one"), InApp("bob-offline", "two"), InApp("ann", "three"), InApp("cleo", "four")]
    submitted = await mill.submit_many([Submission(show_digests, notice) for notice in notices])

    await mill.run_until_idle()

    ended = [await mill.get(job.id) for job in submitted]
    assert [job.result for job in ended] == [
        {"inbox": "ann", "in_one_entry": 2},
        None,
        {"inbox": "ann", "in_one_entry": 2},
        {"inbox": "cleo", "in_one_entry": 1},
    ]
    assert [(job.status, job.attempts) for job in ended if job.payload["user"] == "bob-offline"] == [
        (JobState.FAILED, 3)
    ]
    assert {job.attempts for job in ended if job.payload["user"] != "bob-offline"} == {1}
    bobs = ("bob-offline", "two")
    assert written == [("ann", "one\nthree"), bobs, ("cleo", "four"), bobs, bobs]
