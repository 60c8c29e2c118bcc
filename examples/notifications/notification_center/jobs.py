"""What is added to the channels that come with Jobmill: one of our own, and the report of a campaign.

``email``, ``sms`` and ``push`` need no code: their providers are named in the settings.
"""

from datetime import timedelta

from attrs import frozen

from jobmill import JobContext, JobHandlers, RetryPolicy

handlers = JobHandlers()


@frozen
class InApp:
    user: str
    text: str


@frozen
class Campaign:
    name: str


class InboxUnreachable(Exception):
    """The user's inbox cannot be written at the moment."""


@handlers.register("inapp", queue="inapp", retry=RetryPolicy(max_attempts=3, base=timedelta(seconds=0.1)))
async def show_in_app(notice: InApp) -> dict[str, str]:
    if notice.user.endswith("-offline"):
        raise InboxUnreachable(f"the inbox of {notice.user} does not answer")
    return {"inbox": notice.user}


@handlers.register("campaign.report", queue="inapp")
async def report(campaign: Campaign, job: JobContext) -> dict[str, object]:
    """Runs once, when every notification of a campaign has ended; how they did is in ``job.previous``."""
    ended: dict[str, int] = job.previous
    job.log.info("campaign %s: %s of %s sent", campaign.name, ended["succeeded"], ended["size"])
    return {"campaign": campaign.name, "sent": ended["succeeded"], "failed": ended["failed"]}
