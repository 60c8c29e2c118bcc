"""The command ``batch``."""

from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from jobmill.application.batches import counts_of
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings
from jobmill.entrypoints.http.views import batch_report_view, encode


async def batch(
    batch_id: Annotated[UUID, Parameter(name="ID")],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Show how the jobs of a batch stand.

    Args:
        batch_id: the whole id, which is that of the batch's callback.
        as_json: print it as one line of JSON.
    """
    screen = Screen()
    async with open_services(read_settings()) as services:
        callback, tally = await services.inspector().batch(batch_id)
    if as_json:
        screen.json(encode(batch_report_view(callback, tally)))
        return
    heads = ("CALLBACK", *(name.upper() for name in counts_of(tally)))
    screen.table(heads, [(callback.state.value, *(str(number) for number in counts_of(tally).values()))])
