"""Whether the process lives, and whether it can work."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import msgspec
from attrs import frozen

from jobmill.entrypoints.http.answers import Answer, Req, answer
from jobmill.entrypoints.http.problems import Problem
from jobmill.entrypoints.http.services import OK

#: Without the broker jobs are accepted and wait in the database; without a presence lock leases do its work.
_DISPENSABLE: Final = frozenset({"broker", "presence"})
_RETRY_AFTER_S: Final = 2


class LiveView(msgspec.Struct, kw_only=True):
    """The process answers."""

    status: Literal["ok"]
    version: str


class ReadyView(msgspec.Struct, kw_only=True):
    """The process can work; degraded without a part that it can do without for a time."""

    status: Literal["ok", "degraded"]
    version: str
    parts: dict[str, str]


@frozen(kw_only=True)
class HealthRoutes:
    """For those who start and watch processes.

    Args:
        readiness: asks each part, by name, how it is: ``OK`` or what is wrong, for a person.
        version: Jobmill's own.
    """

    readiness: Callable[[], Awaitable[Mapping[str, str]]]
    version: str

    async def live(self) -> Answer:
        """Say that the process answers."""
        return answer(LiveView(status="ok", version=self.version))

    async def ready(self, request: Req) -> Answer:
        """Say how each part is; without the broker the process serves on, without its store it cannot."""
        parts = dict(await self.readiness())
        down = {name for name, word in parts.items() if word != OK}
        if down - _DISPENSABLE:
            return Problem(
                code="not-ready",
                detail=f"cannot work without: {', '.join(sorted(down - _DISPENSABLE))}",
                instance=request.scope["state"]["request_id"],
                parts=parts,
                headers={"retry-after": str(_RETRY_AFTER_S)},
            ).answer()
        status: Literal["ok", "degraded"] = "degraded" if down else "ok"
        return answer(ReadyView(status=status, version=self.version, parts=parts))
