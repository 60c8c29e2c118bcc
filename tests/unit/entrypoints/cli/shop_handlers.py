"""What a user's module of handlers looks like. Nothing here ever runs: the command line only declares."""

from datetime import timedelta

from attrs import frozen

from jobmill import JobHandlers, RetryPolicy

handlers = JobHandlers()


@frozen(kw_only=True)
class Thumbnail:
    picture: str
    width: int = 320


@handlers.register(
    "thumbnail.make", queue="pictures", retry=RetryPolicy(max_attempts=5), timeout=timedelta(minutes=5)
)
async def make_thumbnail(thumbnail: Thumbnail) -> None:
    """Shrink a picture."""
