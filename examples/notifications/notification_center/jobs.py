"""What is added to the channels that come with Jobmill: one of our own, its digests, a campaign's report.

``email``, ``sms`` and ``push`` need no code: their providers are named in the settings.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from attrs import frozen

from jobmill import BatchJob, JobContext, JobHandlers, RetryPolicy

handlers = JobHandlers()
log = logging.getLogger(__name__)

SOON = RetryPolicy(max_attempts=3, base=timedelta(seconds=0.1))


@frozen
class InApp:
    user: str
    text: str


@frozen
class Campaign:
    name: str


class InboxUnreachable(Exception):
    """The user's inbox cannot be written at the moment."""


@handlers.register("inapp", queue="inapp", retry=SOON)
async def show_in_app(notice: InApp) -> dict[str, str]:
    write(notice.user, notice.text)
    return {"inbox": notice.user}


@handlers.register_batch("inapp.digest", queue="inapp", jobs_max=100, wait=timedelta(seconds=0.2), retry=SOON)
async def show_digests(jobs: Sequence[BatchJob[InApp]]) -> None:
    """Show each user in one entry what came together; one whose inbox is away is no other's trouble."""
    for_user: defaultdict[str, list[BatchJob[InApp]]] = defaultdict(list)
    for job in jobs:
        for_user[job.payload.user].append(job)
    for user, notices in for_user.items():
        try:
            write(user, "\n".join(job.payload.text for job in notices))
        except InboxUnreachable as error:
            for job in notices:
                job.fail(error)
        else:
            for job in notices:
                job.succeed({"inbox": user, "in_one_entry": len(notices)})


def write(user: str, text: str) -> None:
    """Make an entry in a user's inbox; here the log stands for that."""
    if user.endswith("-offline"):
        raise InboxUnreachable(f"the inbox of {user} does not answer")
    log.info("shown to %s: %s", user, text)


@handlers.register("campaign.report", queue="inapp")
async def report(campaign: Campaign, job: JobContext) -> dict[str, object]:
    """Runs once, when every notification of a campaign has ended; how they did is in ``job.previous``."""
    ended: dict[str, int] = job.previous
    job.log.info("campaign %s: %s of %s sent", campaign.name, ended["succeeded"], ended["size"])
    return {"campaign": campaign.name, "sent": ended["succeeded"], "failed": ended["failed"]}
