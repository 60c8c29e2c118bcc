"""Jobs of lines: each line is a payload, all else is the same for all of them."""

from datetime import timedelta
from hashlib import blake2b
from typing import Final, Self

from attrs import evolve, field, frozen

from jobmill.application.codec.strict_json import read_json
from jobmill.application.commands import SubmitJob
from jobmill.application.errors import TooLarge
from jobmill.application.kin import Kin
from jobmill.application.lines import LINE_BYTES_MAX, Line
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.submitter import Submitter
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.idempotency import KeyClaim

#: As long as for messages of foreign producers: whoever is interrupted may go on some days later.
LINE_HOLD: Final = timedelta(days=7)
_DIGEST_BYTES: Final = 16
_PAYLOAD: Final = "/payload"


@frozen(kw_only=True)
class LineDrafter:
    """Makes jobs of lines, each with a key by which the same line is known again.

    The key is the line's number and a hash of the line and a name, so a second job is never made of the same
    line under the same number, whatever else is asked for. Which type it is of belongs to the key's scope.

    Args:
        request: what is asked for all of them; its own payload does not count.
        name: sets these lines apart from the same lines under another name.
    """

    _submitter: Submitter
    _request: SubmitJob
    _kin: Kin
    _scope: str
    _named: bytes = field(repr=False)

    @classmethod
    async def on(cls, submitter: Submitter, request: SubmitJob, *, name: str = "") -> Self:
        """Look at what is asked for all lines, before the first is read.

        Raises:
            InvalidInput: it would be refused whatever the line.
        """
        queue = request.options.queue
        await submitter.learn([request.type], queues=[] if queue is None else [queue])
        kin = await submitter.kin([request])
        try:
            submitter.draft([request], kin=kin)
        except InvalidInput as error:
            if faults := [fault for fault in error.faults if not fault.pointer.startswith(_PAYLOAD)]:
                raise error.naming(faults) from None
        declared = submitter.registry.known_as(request.type)
        return cls(
            submitter=submitter,
            request=evolve(request, type=declared.name),
            kin=kin,
            scope=f"line:{declared.name}",
            named=name.encode() + b"\n",
        )

    def draft(self, line: Line) -> NewJob:
        """Return the job of a line; nothing is stored.

        Raises:
            InvalidInput: with all that is wrong; the places are places in the line.
        """
        number, raw = line
        if len(raw) > LINE_BYTES_MAX:
            detail = f"has more than {LINE_BYTES_MAX:,} bytes, which no payload needs"
            raise TooLarge(Fault(pointer="", detail=detail))
        asked = self._request
        command = SubmitJob(
            type=asked.type,
            payload=read_json(raw),
            options=asked.options,
            is_plain=True,
            keys=(self._key(number, raw),),
        )
        try:
            [new] = self._submitter.draft([command], kin=self._kin)
        except InvalidInput as error:
            raise _placed(error) from None
        return new

    def _key(self, number: int, raw: bytes) -> KeyClaim:
        """The number stands before the hash, so that keys come in the order of the index that holds them."""
        digest = blake2b(self._named + raw, digest_size=_DIGEST_BYTES).hexdigest()
        return KeyClaim(scope=self._scope, key=f"{number:010}:{digest}", hold=LINE_HOLD)


def _placed(error: InvalidInput) -> InvalidInput:
    return error.naming(
        Fault(pointer=fault.pointer.removeprefix(_PAYLOAD), detail=fault.detail) for fault in error.faults
    )
