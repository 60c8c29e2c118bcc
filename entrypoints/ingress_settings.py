"""How bindings are set: as JSON in the environment, or as tables of a project, checked alike."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from attrs import evolve

from jobmill.application.codec.strict_json import read_json
from jobmill.application.ingress_binding import TYPELESS, IngressBinding, Shape
from jobmill.domain.errors import InvalidInput
from jobmill.domain.job_type import TTL_MAX, queue_name, type_name
from jobmill.domain.options import CONTROL
from jobmill.domain.states import Priority

T = TypeVar("T")

#: The binding that is always there. Its queue is made with the rest of the mill's own.
DEFAULT: Final = "default"
BINDINGS_MAX: Final = 100
TYPES_MAX: Final = 1_000
#: What a broker allows.
QUEUE_BYTES_MAX: Final = 255
WORD_CHARS_MAX: Final = 255
_EXAMPLE: Final = '{"calls": {"queue": "call_queue", "shape": "call"}}'
_KEYS: Final = ("queue", "shape", "type", "types", "dedup", "job_queue", "priority", "ttl_s")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,49}")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
#: Their messages always have an id of their own.
_SELF_KEYED: Final = frozenset({Shape.CLOUDEVENTS, Shape.EVENT})


def bindings_text(text: str) -> tuple[IngressBinding, ...]:
    """Read bindings from a JSON object; errors as in ``bindings_table``."""
    try:
        value = read_json(text.encode())
    except InvalidInput as error:
        raise ValueError(f"must be JSON like {_EXAMPLE}: {error.faults[0].detail}") from None
    if isinstance(value, dict):
        return bindings_table(value)
    raise ValueError(f"must be a JSON object like {_EXAMPLE}")


def bindings_table(value: Mapping[str, Any]) -> tuple[IngressBinding, ...]:
    """Read bindings by their names.

    Raises:
        ValueError: with all that is wrong, each by its place, and the mend.
    """
    if len(value) > BINDINGS_MAX:
        raise ValueError(f"must be at most {BINDINGS_MAX} bindings")
    faults: list[str] = []
    bindings = []
    for name, one in value.items():
        if not _NAME.fullmatch(name):
            faults.append(f"{_shown(name)}: a binding's name is a small letter, then up to 49 of a-z 0-9 _ -")
        elif not isinstance(one, dict):
            faults.append(f"{name}: must be a table with a queue and a shape")
        else:
            reading = _Reading(name, one)
            bindings.append(reading.binding())
            faults += reading.faults
    queues = [each.queue for each in bindings if each.queue]
    for queue in dict.fromkeys(each for each in queues if queues.count(each) > 1):
        names = ", ".join(each.name for each in bindings if each.queue == queue)
        faults.append(f"{names}: read one queue, and each would get some of its messages; leave one of them")
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(bindings)


def own_queue(prefix: str) -> str:
    """Return the queue of the default binding."""
    return f"{prefix}.ingress"


def all_bindings(given: Sequence[IngressBinding], *, prefix: str) -> tuple[IngressBinding, ...]:
    """Return the bindings that are read, the default one among them.

    Raises:
        ValueError: one of them reads a queue that the mill needs for itself.
    """
    taken = [each.name for each in given if each.queue.startswith(f"{prefix}.")]
    if taken:
        raise ValueError(
            f"{', '.join(taken)}: queues that begin with {prefix}. are Jobmill's own; for "
            f"{own_queue(prefix)} name the binding {DEFAULT} and leave its queue out"
        )
    named = {each.name: each for each in given}
    own = named.pop(DEFAULT, IngressBinding(name=DEFAULT, queue=""))
    if not own.queue:
        own = evolve(own, queue=own_queue(prefix))
    return (own, *named.values())


class _Reading:
    """One binding as it is read; what is wrong with it gathers in ``faults``."""

    def __init__(self, name: str, table: Mapping[str, Any]) -> None:
        self._name = name
        self._table = table
        self.faults: list[str] = []

    def binding(self) -> IngressBinding:
        """Return the binding; it is of use only if there are no faults."""
        for key in self._table:
            if key not in _KEYS:
                close = get_close_matches(key[:100], _KEYS, n=1)
                known = f"did you mean {close[0]}?" if close else f"known are {', '.join(_KEYS)}"
                self._wrong(_shown(key), f"no such setting; {known}")
        shape = self._read("shape", _shape, Shape.ENVELOPE)
        queue = self._read("queue", _queue, "")
        if not queue and "queue" not in self._table and self._name != DEFAULT:
            self._wrong("queue", "is required: the full name of a queue in the broker")
        return IngressBinding(
            name=self._name,
            queue=queue,
            shape=shape,
            type=self._type(shape),
            types=self._types(shape),
            dedup=self._dedup(shape),
            job_queue=self._read("job_queue", _job_queue, None),
            priority=self._read("priority", _priority, None),
            ttl=self._read("ttl_s", _ttl, None),
        )

    def _type(self, shape: Shape) -> str | None:
        if shape in TYPELESS:
            if "type" not in self._table and shape is not Shape.CALL:
                self._wrong("type", f"is required: a message of the shape {shape.value} has none")
            return self._read("type", _type, "call")
        if "type" in self._table:
            self._wrong("type", f"a message of the shape {shape.value} says it; to translate it use types")
        return None

    def _types(self, shape: Shape) -> Mapping[str, str]:
        if shape in TYPELESS and "types" in self._table:
            self._wrong("types", f"a message of the shape {shape.value} has no type to translate; use type")
        return self._read("types", _types, {})

    def _dedup(self, shape: Shape) -> str | None:
        if shape in _SELF_KEYED and "dedup" in self._table:
            self._wrong("dedup", f"leave it out: every message of the shape {shape.value} has an id")
        return self._read("dedup", _pointer, "/call_id" if shape is Shape.CALL else None)

    def _read(self, key: str, reader: Callable[[object], T], default: T) -> T:
        if key not in self._table:
            return default
        try:
            return reader(self._table[key])
        except ValueError as error:
            self._wrong(key, str(error))
        except InvalidInput as error:
            self._wrong(key, error.faults[0].detail)
        return default

    def _wrong(self, key: str, detail: str) -> None:
        self.faults.append(f"{self._name}.{key}: {detail}")


def _shape(value: object) -> Shape:
    names = {each.value: each for each in Shape}
    if isinstance(value, str) and value in names:
        return names[value]
    raise ValueError(f"must be one of {', '.join(names)}")


def _queue(value: object) -> str:
    is_name = isinstance(value, str) and 0 < len(value.encode("utf-8", "replace")) <= QUEUE_BYTES_MAX
    if isinstance(value, str) and is_name and not CONTROL.search(value):
        return value
    raise ValueError(f"must be the name of a queue, 1 to {QUEUE_BYTES_MAX} bytes without control characters")


def _type(value: object) -> str:
    return type_name(_word(value))


def _types(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or len(value) > TYPES_MAX:
        raise ValueError(
            f'must be a table of at most {TYPES_MAX:,}, as in {{"TASK_CREATED": "task.created"}}'
        )
    return {_word(theirs): type_name(_word(ours)) for theirs, ours in value.items()}


def _pointer(value: object) -> str:
    if isinstance(value, str) and len(value) <= WORD_CHARS_MAX and _POINTER.fullmatch(value):
        return value
    raise ValueError("must be a JSON pointer, as in /call_id or /metadata/id")


def _job_queue(value: object) -> str:
    return queue_name(_word(value))


def _priority(value: object) -> Priority:
    names = {each.value: each for each in Priority}
    if isinstance(value, str) and value in names:
        return names[value]
    raise ValueError(f"must be one of {', '.join(names)}")


def _ttl(value: object) -> timedelta:
    seconds_max = TTL_MAX.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= seconds_max:
        return timedelta(seconds=value)
    raise ValueError(f"must be a number of seconds above 0 and up to {seconds_max:.0f}")


def _word(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= WORD_CHARS_MAX:
        return value
    raise ValueError(f"must be a text of 1 to {WORD_CHARS_MAX} characters")


def _shown(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else ascii(name[:60])
