"""``submit --file``: a job for each line of a file, however many there are."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Final

from attrs import define, field, frozen

from jobmill.application.codec.strict_json import write_json
from jobmill.application.codec.submit_request import read_submit
from jobmill.application.line_drafter import LineDrafter
from jobmill.application.line_intake import LineIntake, Tally
from jobmill.application.patient_storing import PatientStoring
from jobmill.application.submitter import BATCH_MAX
from jobmill.entrypoints.cli.exits import Exit, WrongUse
from jobmill.entrypoints.cli.file_progress import Show, showing_progress
from jobmill.entrypoints.cli.line_source import LineSource, open_source
from jobmill.entrypoints.cli.rejected_lines import Rejects, open_rejects
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings, warn_unannounced
from jobmill.entrypoints.collecting import settled

_GO_ON: Final = "the same command goes on: lines that are stored already are passed over"


@frozen(kw_only=True)
class FileOrder:
    """What was asked for on the command line.

    Args:
        file: its name, ``-`` for standard input.
        request: the type and the options, by the names of a request.
        rejected: where rejected lines go, None for the usual place.
        is_dry: check the lines and store nothing.
        as_json: tell what came of it as JSON.
    """

    file: str
    request: Mapping[str, object]
    rejected: str | None
    is_dry: bool
    as_json: bool


async def submit_file(order: FileOrder) -> Exit:
    """Submit each line. Whatever ends it early, it is told how far it came and how to go on.

    Raises:
        WrongUse: the file cannot be read, or is no text of lines.
        InvalidInput: what is asked for beside the payloads is refused.
        Unavailable: the store was away for too long.
    """
    screen = Screen()
    with open_source(order.file) as source, open_rejects(source, order.rejected, screen=screen) as rejects:
        run = _Run(order=order, source=source, rejects=rejects, screen=screen)
        try:
            with showing_progress(screen, source) as show:
                await run.through(show)
        except BaseException:
            if run.has_begun:
                screen.note(f"stopped: {_GO_ON}")
            raise
        finally:
            if run.has_begun:
                run.tell()
        if not run.has_begun:
            raise WrongUse(f"--file: {source.name} holds blank lines only: a line is wanted for each job")
    return Exit.REFUSED if run.tally.rejected else Exit.DONE


@define(kw_only=True, eq=False)
class _Run:
    order: FileOrder
    source: LineSource
    rejects: Rejects
    screen: Screen
    tally: Tally = field(factory=Tally, init=False)
    took_s: float = field(default=0.0, init=False)

    @property
    def has_begun(self) -> bool:
        return self.tally.lines > 0

    async def through(self, show: Show) -> None:
        """Take in the whole source."""
        from jobmill.entrypoints.container import declared_registry

        settings, stop = read_settings(), asyncio.Event()
        wishes = {**self.order.request, "payload": {}}
        name = str(wishes.pop("idempotency_key", ""))
        registry, is_dry = declared_registry(settings), self.order.is_dry
        async with open_services(settings, registry, announce=not is_dry) as services:
            submitter = services.submitter()
            storing = PatientStoring(submitter=submitter, note=self.screen.note, stop=stop)
            intake = LineIntake(
                drafting=await LineDrafter.on(submitter, read_submit(wishes), name=name),
                storing=None if is_dry else storing,
                reject=self.rejects.take,
                progress=lambda: self._shown(show),
                stop=stop,
                # Half of what a queue holds, lest it has to be empty for every unit.
                unit_max=min(BATCH_MAX, max(1, settings.queue_jobs_max // 2)),
            )
            self.rejects.begin()
            self.tally, began_s = intake.tally, monotonic()
            try:
                with settled():
                    await intake.run(self.source.chunks())
            finally:
                self.took_s = monotonic() - began_s
            if not is_dry:
                warn_unannounced(settings, services, self.screen)

    def _shown(self, show: Show) -> None:
        self.rejects.flush()
        show(self.tally)

    def tell(self) -> None:
        """Say what came of it."""
        tally, pace = self.tally, self.tally.lines / max(self.took_s, 0.001)
        if self.order.as_json:
            self.screen.json(write_json(self._told(pace)).encode())
            return
        took = f"{self.took_s:,.1f} s, {pace:,.0f} a second"
        where = f" ({self.rejects.name})" if tally.rejected else ""
        rejected = f"{tally.rejected:,} rejected{where}"
        if self.order.is_dry:
            self.screen.say(f"{tally.accepted:,} valid, {rejected}, {took}; nothing was stored")
        else:
            there = f"{tally.already_there:,} already there"
            self.screen.say(f"{tally.accepted:,} accepted, {there}, {rejected}, {took}")

    def _told(self, pace: float) -> Mapping[str, object]:
        tally, path = self.tally, self.rejects.path
        return {
            "lines": tally.lines,
            "valid" if self.order.is_dry else "accepted": tally.accepted,
            "already_there": tally.already_there,
            "rejected": tally.rejected,
            "rejected_in": str(path) if path is not None and tally.rejected else None,
            "seconds": round(self.took_s, 3),
            "per_second": round(pace, 1),
        }
