"""The command ``doctor``."""

from collections import Counter
from contextlib import aclosing
from typing import Annotated, Final

from cyclopts import Parameter

from jobmill.application.deploy_reviewer import DeployReviewer, Unreadable
from jobmill.entrypoints.cli.exits import Exit
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings
from jobmill.entrypoints.http.views import encode
from jobmill.entrypoints.settings import Settings, WrongSettings

#: So many jobs between two lines that tell how far it is.
_TELL_EVERY: Final = 10_000


async def doctor(
    *, before_deploy: bool = False, as_json: Annotated[bool, Parameter(name="--json")] = False
) -> int:
    """Say what is in order and what is not, a line for each check. Exit code 1 if anything needs a mend.

    Args:
        before_deploy: instead, go through all jobs that may still run, and name each that the handlers of the
            settings, those of the new code, could not. Exit code 1 if there are any. Nothing is changed.
        as_json: print each line as JSON.
    """
    screen = Screen()
    if before_deploy:
        return await _review(read_settings(), screen, as_json=as_json)
    return await _examine(screen, as_json=as_json)


async def _examine(screen: Screen, *, as_json: bool) -> int:
    from jobmill.entrypoints.cli.checkup import Finding, examine

    code = Exit.DONE

    def show(finding: Finding) -> None:
        word = "ok" if finding.mend is None else "mend"
        if as_json:
            record = {"check": finding.check, "result": word, "detail": finding.mend or finding.detail}
            screen.json(encode(record))
        else:
            screen.say(f"{word:<4}  {finding.check:<10}  {finding.mend or finding.detail}")

    try:
        settings = read_settings()
    except WrongSettings as fault:
        show(Finding(check="settings", mend=str(fault)))
        return Exit.REFUSED
    async with aclosing(examine(settings)) as findings:
        async for finding in findings:
            show(finding)
            if finding.mend is not None:
                code = Exit.REFUSED
    return code


async def _review(settings: Settings, screen: Screen, *, as_json: bool) -> int:
    from jobmill.entrypoints.container import declared_registry

    registry = declared_registry(settings)
    found: Counter[str] = Counter()
    looked_at = 0

    def tell(count: int) -> None:
        nonlocal looked_at
        if count // _TELL_EVERY > looked_at // _TELL_EVERY:
            screen.note(f"{count:,} jobs looked at, {found.total():,} that the new code cannot run")
        looked_at = count

    async with open_services(settings, registry) as services:
        reviewer = DeployReviewer(finder=services.store().finder, registry=registry)
        async with aclosing(reviewer.review(tell)) as unreadable:
            async for each in unreadable:
                found[each.job.type] += 1
                _show(each, screen, as_json=as_json)
    if as_json:
        screen.json(encode({"jobs": looked_at, "unreadable": dict(sorted(found.items()))}))
    else:
        screen.lines(f"{count:>8,}  {name}" for name, count in sorted(found.items()))
        screen.say(f"{looked_at:,} jobs looked at, {found.total():,} that the new code cannot run")
    return Exit.REFUSED if found else Exit.DONE


def _show(unreadable: Unreadable, screen: Screen, *, as_json: bool) -> None:
    job = unreadable.job
    if as_json:
        faults = [{"pointer": fault.pointer, "detail": fault.detail} for fault in unreadable.faults]
        record = {"id": job.id, "status": job.state.value, "type": job.type, "version": job.payload_version}
        screen.json(encode({**record, "faults": faults}))
        return
    for fault in unreadable.faults:
        screen.say(f"{job.id}  {job.state.value:<10}  {job.type}  {fault.pointer}: {fault.detail}")
