"""``Quarantine``: foreign messages, kept as they came."""

from typing import Any

import pytest

from jobmill.application.errors import StorageRefused
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.application.ports.store import Store
from jobmill.testing.builders import NOW, an_id


def a_message(**facts: Any) -> ForeignMessage:
    made_up: dict[str, Any] = {
        "id": an_id(),
        "received_at": NOW,
        "source": "ingress",
        "reason": "no JSON",
        "content_type": "text/plain",
        "headers": {"x-by": "somebody"},
        "body": b"hello",
    }
    return ForeignMessage(**(made_up | facts))


async def test_a_message_is_kept_as_it_came(store: Store) -> None:
    message = a_message(body=bytes(range(256)), content_type=None, headers={})

    await store.quarantine.keep([message])

    assert await store.quarantine.get(message.id) == message


async def test_headers_are_kept_whatever_they_are(store: Store) -> None:
    headers = {"x-é": 'ä, "b"', "empty": "", "nul": "\0\n", "half a pair": "\ud800"}
    message = a_message(headers=headers)

    await store.quarantine.keep([message])

    kept = await store.quarantine.get(message.id)
    assert kept is not None
    assert dict(kept.headers) == headers


async def test_keeping_the_same_message_twice_is_harmless(store: Store) -> None:
    message, other = a_message(), a_message()

    await store.quarantine.keep([message])
    await store.quarantine.keep([message, other])

    assert await store.quarantine.page(limit=10) == [other, message]


async def test_keeping_nothing_is_harmless(store: Store) -> None:
    await store.quarantine.keep([])

    assert await store.quarantine.page(limit=10) == []


async def test_pages_go_from_the_newest_down(store: Store) -> None:
    messages = [a_message() for _ in range(5)]
    await store.quarantine.keep(messages)

    first = await store.quarantine.page(limit=2)
    second = await store.quarantine.page(limit=2, before=first[-1].id)
    third = await store.quarantine.page(limit=2, before=second[-1].id)

    assert [*first, *second, *third] == messages[::-1]


async def test_an_unknown_message_is_none(store: Store) -> None:
    assert await store.quarantine.get(an_id()) is None


async def test_a_message_is_dropped_once(store: Store) -> None:
    gone, stays = a_message(), a_message()
    await store.quarantine.keep([gone, stays])

    assert await store.quarantine.drop(gone.id)
    assert not await store.quarantine.drop(gone.id)

    assert await store.quarantine.get(gone.id) is None
    assert await store.quarantine.page(limit=10) == [stays]


async def test_a_text_that_no_store_can_hold_is_refused_and_nothing_is_kept(store: Store) -> None:
    good, bad = a_message(), a_message(reason="\ud800")

    with pytest.raises(StorageRefused):
        await store.quarantine.keep([good, bad])

    assert await store.quarantine.page(limit=10) == []
