"""From the bytes of a foreign message to a command, with the key that it is known by."""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from attrs import evolve, frozen

from jobmill.application.codec.ingress_shapes import Letter, read_letter
from jobmill.application.codec.strict_json import canonical_json, read_json, write_json
from jobmill.application.commands import SubmitJob
from jobmill.application.errors import TooLarge
from jobmill.application.ingress_binding import DEDUP_HOLD, IngressBinding
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.options import JobOptions

#: As of a request over HTTP: a payload of 10 KiB and what stands around it.
BODY_BYTES_MAX: Final = 16 * 1024
#: Of what a sender said beside the payload.
ORIGIN_BYTES_MAX: Final = 4 * 1024
_PAYLOAD: Final = "/payload"
#: A place in a list: no longer than any list here could have.
_INDEX: Final = re.compile("[0-9]{1,9}")


@frozen(kw_only=True)
class IngressEntry:
    """A message that was read.

    Args:
        command: may hold faults, which the ``Submitter`` refuses it with.
        place: where the payload stands in the message, for the places of faults.
    """

    command: SubmitJob
    place: str

    @property
    def is_keyless(self) -> bool:
        """Nothing tells it from another message, so that it may become a job again if it comes again."""
        return not self.command.keys and self.command.options.idempotency_key is None

    def placed(self, refusal: InvalidInput) -> InvalidInput:
        """Return a refusal of the command with the places as they are in the message."""
        return refusal.naming(dict.fromkeys(_moved(refusal.faults, _PAYLOAD, self.place)))


def read_ingress(body: bytes, *, message_id: str | None, binding: IngressBinding) -> IngressEntry:
    """Read a message as its binding says.

    Args:
        message_id: the id that came beside the body; an empty one is none.

    Raises:
        TooLarge: the message has more than 16 KiB.
        MalformedJson: it is no JSON.
    """
    if len(body) > BODY_BYTES_MAX:
        detail = f"has {len(body):,} bytes, {BODY_BYTES_MAX:,} are read; store the rest and send where it is"
        raise TooLarge(Fault(pointer="", detail=detail))
    value = read_json(body)
    letter = read_letter(value, binding.shape)
    faults = list(letter.faults)
    try:
        key = _key(value, letter, message_id, binding)
    except InvalidInput as error:
        key = None
        faults += error.faults
    origin: dict[str, object] = {"binding": binding.name, "shape": binding.shape.value, **letter.said}
    if message_id:
        origin["message_id"] = message_id.encode("utf-8", "replace").decode()
    text = write_json(origin)
    if len(text.encode()) > ORIGIN_BYTES_MAX:
        detail = f"says more than {ORIGIN_BYTES_MAX:,} bytes beside the payload"
        faults.append(Fault(pointer="", detail=detail))
    command = SubmitJob(
        type=binding.type or binding.types.get(letter.type, letter.type),
        payload=letter.payload,
        options=_with_defaults(letter.options, binding),
        is_plain=True,
        faults=tuple(_moved(faults, letter.place, _PAYLOAD)),
        keys=() if key is None else (key,),
        origin=text,
    )
    return IngressEntry(command=command, place=letter.place)


def _key(value: object, letter: Letter, message_id: str | None, binding: IngressBinding) -> KeyClaim | None:
    """Return the first key that there is; raises ``InvalidInput`` where it is none that could be one."""
    if message_id:
        return _claim(binding, "message", [message_id])
    if letter.own_id and all(letter.own_id):
        return _claim(binding, "event", letter.own_id)
    found = None if binding.dedup is None else found_at(value, binding.dedup)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        detail = "must be a text or a whole number: its binding tells messages apart by it"
        raise InvalidInput(Fault(pointer=binding.dedup or "", detail=detail))
    return _claim(binding, "pointer", [canonical_json(found).decode()])


def _claim(binding: IngressBinding, kind: str, parts: Iterable[str]) -> KeyClaim:
    """Make a key of a fixed length, whatever its parts hold."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return KeyClaim(
        scope=f"ingress:{binding.name}", key=f"{kind}:{sha256(text).hexdigest()}", hold=DEDUP_HOLD
    )


def found_at(value: object, pointer: str) -> object:
    """Return what stands at a JSON pointer (RFC 6901); None where nothing does."""
    for token in pointer.split("/")[1:]:
        step = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _with_defaults(options: JobOptions, binding: IngressBinding) -> JobOptions:
    if binding.job_queue is None and binding.priority is None and binding.ttl is None:
        return options
    return evolve(
        options,
        queue=binding.job_queue if options.queue is None else options.queue,
        priority=binding.priority if options.priority is None else options.priority,
        ttl=binding.ttl if options.ttl is None else options.ttl,
    )


def _moved(faults: Iterable[Fault], was: str, to: str) -> Iterator[Fault]:
    """Say of faults at a place and below it that they are at another."""
    for fault in faults:
        rest = fault.pointer.removeprefix(was)
        is_inside = fault.pointer.startswith(was) and rest[:1] in {"", "/"}
        yield evolve(fault, pointer=to + rest) if is_inside else fault
