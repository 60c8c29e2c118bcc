"""The shapes of foreign messages: from plain values to what they ask for. Pure, and strict.

What is wrong with a message does not stop the reading: it stands in ``faults``, so that all of it is told.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from attrs import field, frozen

from jobmill.application.codec.strict_json import FAULTS_MAX, pointer_token
from jobmill.application.codec.submit_request import read_submit, read_time
from jobmill.application.commands import NO_OPTIONS, SubmitJob
from jobmill.application.ingress_binding import Shape
from jobmill.domain.errors import Fault
from jobmill.domain.options import JobOptions

TEXT_CHARS_MAX: Final = 1_024
_NAME_CHARS: Final = 100
_REQUIRED: Final = "is required"
_EXTENSION: Final = re.compile(r"[a-z0-9]{1,50}")
_JSON_MEDIA: Final = re.compile(r"[^/;\s]+/(?:[^/;\s]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_OF_AN_EVENT: Final = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"}
)


@frozen(kw_only=True)
class Letter:
    """What a message asks for, whatever its shape.

    Args:
        type: the sender's word for what is to be done; empty where its shape has none.
        place: where the payload stands in the message, as a JSON pointer.
        own_id: what the sender's shape tells one message from another by; empty where it has nothing.
        said: what else the sender said, to be kept beside the job.
    """

    type: str = ""
    payload: object = None
    place: str = "/payload"
    options: JobOptions = NO_OPTIONS
    own_id: tuple[str, ...] = ()
    said: Mapping[str, object] = field(factory=dict)
    faults: tuple[Fault, ...] = ()


def read_letter(value: object, shape: Shape) -> Letter:
    """Return what a message of this shape asks for.

    Args:
        value: the message as plain values, as read from JSON.
    """
    if not isinstance(value, dict):
        return Letter(faults=(Fault(pointer="", detail=f"must be an object, of the shape {shape.value}"),))
    return _READERS[shape](value)


def _envelope(value: dict[str, Any]) -> Letter:
    command: SubmitJob = read_submit(value)
    return Letter(type=command.type, payload=command.payload, options=command.options, faults=command.faults)


def _cloudevents(value: dict[str, Any]) -> Letter:
    """Attributes that are null count as absent, as in the JSON format of CloudEvents."""
    event = {name: item for name, item in value.items() if item is not None}
    faults = [*_wrong_texts(event, required=("id", "source", "type"), optional=("subject", "dataschema"))]
    if event.get("specversion") != "1.0":
        faults.append(Fault(pointer="/specversion", detail='must be "1.0"'))
    if "time" in event:
        faults += _wrong_time(event["time"])
    media = event.get("datacontenttype", "application/json")
    if not isinstance(media, str) or not _JSON_MEDIA.fullmatch(media):
        faults.append(Fault(pointer="/datacontenttype", detail="must be JSON, as application/json"))
    if "data_base64" in event:
        faults.append(Fault(pointer="/data_base64", detail="is no payload: send it as JSON, in data"))
    elif "data" not in event:
        faults.append(Fault(pointer="/data", detail=f"{_REQUIRED}: it is the payload"))
    more = {name: item for name, item in event.items() if name not in _OF_AN_EVENT | {"data_base64"}}
    faults += _wrong_extensions(more)
    names = ("id", "source", "subject", "dataschema")
    said = {name: event[name] for name in names if name in event} | more
    if "time" in event:
        said["timestamp"] = event["time"]
    return Letter(
        type=_text(event.get("type")),
        payload=event.get("data"),
        place="/data",
        own_id=(_text(event.get("source")), _text(event.get("id"))),
        said=said,
        faults=tuple(faults),
    )


def _event(value: dict[str, Any]) -> Letter:
    """Of the metadata the id and the time are read; all of them are kept."""
    faults = [*_unknown(value, ("type", "payload", "metadata")), *_without_type_or_payload(value)]
    metadata = value.get("metadata")
    if isinstance(metadata, dict):
        event_id = metadata.get("eventId")
        faults += [*_wrong_event_id(event_id), *_wrong_moment(metadata, "/metadata")]
    else:
        faults.append(Fault(pointer="/metadata", detail=f"{_REQUIRED}: an object with an eventId"))
        metadata, event_id = {}, None
    said: dict[str, object] = {"metadata": metadata}
    if "timestamp" in metadata:
        said["timestamp"] = metadata["timestamp"]
    return Letter(
        type=_text(value.get("type")),
        payload=value.get("payload"),
        own_id=() if event_id is None else (str(event_id),),
        said=said,
        faults=tuple(faults),
    )


def _plain(value: dict[str, Any]) -> Letter:
    faults = (*_unknown(value, ("type", "payload")), *_without_type_or_payload(value))
    return Letter(type=_text(value.get("type")), payload=value.get("payload"), faults=faults)


def _call(value: dict[str, Any]) -> Letter:
    """The sender's attempt and time are its own affair, and no part of the payload."""
    wanted = ("call_id", "phone_number")
    faults = [*_unknown(value, (*wanted, "attempt", "timestamp"))]
    faults += [Fault(pointer=f"/{name}", detail=_REQUIRED) for name in wanted if name not in value]
    attempt = value.get("attempt")
    if attempt is not None and type(attempt) is not int:
        faults.append(Fault(pointer="/attempt", detail="must be a whole number"))
    faults += _wrong_moment(value, "")
    payload = {name: value[name] for name in wanted if name in value}
    return Letter(payload=payload, place="", said=_sender_told(value), faults=tuple(faults))


def _body(value: dict[str, Any]) -> Letter:
    return Letter(payload=value, place="", said=_sender_told(value))


def _sender_told(value: Mapping[str, Any]) -> dict[str, object]:
    """Return the sender's attempt and time where they are single values."""
    names = ("attempt", "timestamp")
    return {name: value[name] for name in names if isinstance(value.get(name), str | int | float)}


def _unknown(value: Mapping[str, object], known: tuple[str, ...]) -> Iterator[Fault]:
    for name in islice((name for name in value if name not in known), FAULTS_MAX):
        detail = f"unknown field; known are {', '.join(known)}"
        yield Fault(pointer=pointer_token(name[:_NAME_CHARS]), detail=detail)


def _without_type_or_payload(value: Mapping[str, object]) -> Iterator[Fault]:
    yield from _wrong_texts(value, required=("type",))
    if "payload" not in value:
        yield Fault(pointer="/payload", detail=_REQUIRED)


def _wrong_texts(
    value: Mapping[str, object], *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[Fault]:
    for name in (*required, *optional):
        text = value.get(name)
        if name in required and name not in value:
            yield Fault(pointer=f"/{name}", detail=_REQUIRED)
        elif name in value and not (isinstance(text, str) and 0 < len(text) <= TEXT_CHARS_MAX):
            yield Fault(pointer=f"/{name}", detail=f"must be a text of 1 to {TEXT_CHARS_MAX:,} characters")


def _wrong_time(time: object) -> Iterator[Fault]:
    try:
        read_time(time)
    except TypeError as error:
        yield Fault(pointer="/time", detail=str(error))


def _wrong_event_id(event_id: object) -> Iterator[Fault]:
    if not isinstance(event_id, str | int) or isinstance(event_id, bool) or event_id == "":
        yield Fault(pointer="/metadata/eventId", detail=f"{_REQUIRED}: a text or a whole number")


def _wrong_moment(value: Mapping[str, object], place: str) -> Iterator[Fault]:
    """A sender's clock may speak any language; it is kept and never reckoned with."""
    moment = value.get("timestamp")
    is_one = isinstance(moment, str | int | float) and not isinstance(moment, bool)
    if moment is not None and not (is_one and len(str(moment)) <= _NAME_CHARS):
        detail = f"must be a text of at most {_NAME_CHARS} characters, or a number"
        yield Fault(pointer=f"{place}/timestamp", detail=detail)


def _wrong_extensions(more: Mapping[str, object]) -> Iterator[Fault]:
    for name, item in islice(more.items(), FAULTS_MAX):
        if not _EXTENSION.fullmatch(name):
            detail = "is no name of an attribute: up to 50 small letters and digits"
            yield Fault(pointer=pointer_token(name[:_NAME_CHARS]), detail=detail)
        elif not isinstance(item, str | int):
            detail = "an extension must be a text, a whole number, true or false"
            yield Fault(pointer=pointer_token(name), detail=detail)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_READERS: Final[Mapping[Shape, Callable[[dict[str, Any]], Letter]]] = {
    Shape.ENVELOPE: _envelope,
    Shape.CLOUDEVENTS: _cloudevents,
    Shape.EVENT: _event,
    Shape.PLAIN: _plain,
    Shape.CALL: _call,
    Shape.BODY: _body,
}
