"""The header ``Idempotency-Key``, as in the draft of the IETF working group on HTTP APIs."""

import re
from typing import Any, Final

from litestar import Request

from jobmill.domain.errors import Fault, InvalidInput

NAME: Final = b"idempotency-key"

#: A String of RFC 8941, with the parameters that an item may have; they mean nothing here.
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"[ ]*(?:;.*)?')
#: Many clients send the key as it is.
_BARE: Final = re.compile(r"[!#-~][!-~]*")
_ESCAPED: Final = re.compile(r"\\(.)")


def idempotency_key_of(request: Request[Any, Any, Any]) -> str | None:
    """Return the client's key, None without the header.

    Raises:
        InvalidInput: it is no key, or there are several.
    """
    values = [value.decode("latin-1") for name, value in request.scope["headers"] if name == NAME]
    if not values:
        return None
    if len(values) > 1:
        raise _refused("is given more than once")
    text = values[0].strip(" \t")
    if quoted := _QUOTED.fullmatch(text):
        key = _ESCAPED.sub(r"\1", quoted[1])
    elif _BARE.fullmatch(text):
        key = text
    else:
        raise _refused('must be a text in quotes, as in "order-7", of visible ASCII characters')
    if not key:
        raise _refused("is empty")
    return key


def refuse_idempotency_key(request: Request[Any, Any, Any]) -> None:
    """Raise ``InvalidInput`` for a header that would seem to protect a batch and does not."""
    if any(name == NAME for name, _ in request.scope["headers"]):
        raise _refused("is for single jobs; in a batch give each job its own idempotency_key")


def _refused(detail: str) -> InvalidInput:
    return InvalidInput(Fault(pointer="/idempotency_key", detail=f"the header Idempotency-Key {detail}"))
