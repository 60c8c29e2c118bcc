"""Bindings: which queue of the broker is read, and how its messages become jobs."""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Final

from attrs import field, frozen

from jobmill.domain.states import Priority

#: How long a message is remembered at least by the key that its binding finds in it.
DEDUP_HOLD: Final = timedelta(days=7)


class Shape(Enum):
    """What the messages of a binding look like."""

    ENVELOPE = "envelope"  # {type, payload} with the options of a submission
    CLOUDEVENTS = "cloudevents"  # CloudEvents 1.0, structured JSON
    EVENT = "event"  # {type, payload, metadata: {eventId, timestamp}}
    PLAIN = "plain"  # {type, payload}
    CALL = "call"  # {call_id, phone_number, attempt, timestamp}
    BODY = "body"  # the whole object is the payload


#: Messages of these shapes do not say what is to be done with them.
TYPELESS: Final = frozenset({Shape.CALL, Shape.BODY})


@frozen(kw_only=True)
class IngressBinding:
    """One queue and the rules for its messages.

    Args:
        name: the scope of its keys: a message is never taken for one of another binding.
        queue: its full name in the broker.
        type: the type of every job; for the shapes in ``TYPELESS`` alone.
        types: the sender's word for a type, and ours; a word that is not among them stands for itself.
        dedup: a JSON pointer to what tells one message from another, where the message has no id of its own.
        job_queue, priority, ttl: for jobs whose message does not say.
    """

    name: str
    queue: str
    shape: Shape = Shape.ENVELOPE
    type: str | None = None
    types: Mapping[str, str] = field(factory=dict)
    dedup: str | None = None
    job_queue: str | None = None
    priority: Priority | None = None
    ttl: timedelta | None = None
