"""A long batch of requests, cut into its items before anything in it is read."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from jobmill.application.codec.strict_json import MalformedJson
from jobmill.application.errors import TooLarge
from jobmill.domain.errors import Fault, InvalidInput

#: Twice what the longest request takes that is written with escapes only.
ITEM_BYTES_MAX: Final = 128 * 1024

_BLANKS: Final = b" \t\r\n"
_HEAD: Final = re.compile(rb'[ \t\r\n]*\{[ \t\r\n]*"jobs"[ \t\r\n]*:[ \t\r\n]*')


class BatchCutter:
    """Finds where the items of ``{"jobs": [...]}`` begin and end, at a gigabyte a second.

    The items themselves are still to be read strictly, one by one: whoever does that on an event loop can let
    others have their turn in between, which nobody can in the middle of one document.
    """

    def __init__(self, items_max: int) -> None:
        fields = [(f"item{at}", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for at in range(items_max)]
        # Not a list of any length: this stops at the first item too many, before memory is taken for all.
        shape = msgspec.defstruct("Items", fields, array_like=True, forbid_unknown_fields=True)
        self._items_max = items_max
        self._cut = msgspec.json.Decoder(shape).decode

    def items(self, raw: bytes) -> Sequence[bytes]:
        """Return the texts of the items.

        Raises:
            MalformedJson: it is no JSON document.
            InvalidInput: it is another document than such a batch, or has too many items.
            TooLarge: an item is longer than any request.
        """
        head = _HEAD.match(raw)
        if head is None:
            detail = 'must be {"jobs": […]} and hold nothing else'
            raise InvalidInput(Fault(pointer="", detail=detail))
        body = raw[head.end() :].rstrip(_BLANKS)
        try:
            cut = self._cut(body.removesuffix(b"}"))
        except msgspec.ValidationError:
            many = f"a batch holds 1 to {self._items_max:,} jobs, not more"
            detail = many if body.startswith(b"[") else "must be a list"
            raise InvalidInput(Fault(pointer="/jobs", detail=detail)) from None
        except (msgspec.DecodeError, RecursionError) as error:
            detail = f"is not JSON, or holds more than the list of jobs: {error}"
            raise MalformedJson(Fault(pointer="", detail=detail)) from None
        if not body.endswith(b"}"):
            raise MalformedJson(Fault(pointer="", detail="is not JSON: its last bracket is missing"))
        items = [bytes(item) for item in msgspec.structs.astuple(cut) if item is not msgspec.UNSET]
        for at, item in enumerate(items):
            if len(item) > ITEM_BYTES_MAX:
                detail = f"has {len(item):,} bytes, {ITEM_BYTES_MAX:,} are allowed"
                raise TooLarge(Fault(pointer=f"/jobs/{at}", detail=detail))
        return items
