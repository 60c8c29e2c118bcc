"""The job type ``push``: what it takes, what it hands to the provider."""

import pytest

from jobmill.application.handlers import JobHandlers
from jobmill.application.ports.providers import PushMessage, PushTarget
from jobmill.application.shipped import push_handlers

from tests.unit.application.shipped.attempts import JOB_ID, faults_of, run_one
from tests.unit.application.shipped.providers import Recorder, alone

KEY, SECRET = "B" + "x" * 86, "y" * 22
BROWSER = {
    "endpoint": "https://push.example/send/1",
    "expirationTime": None,
    "keys": {"p256dh": KEY, "auth": SECRET},
}


def pushes(recorder: Recorder[PushMessage] | None = None) -> JobHandlers:
    return push_handlers(alone(recorder or Recorder()))


@pytest.mark.parametrize("name", ["title", "subject"])
async def test_a_message_goes_to_the_device_by_whichever_name_its_headline_came(name: str) -> None:
    recorder = Recorder[PushMessage]()

    result = await run_one(pushes(recorder), {"recipient": "token", name: "Hi", "body": "Hello"})

    assert recorder.taken == [PushMessage(key=str(JOB_ID), target="token", title="Hi", body="Hello")]
    assert result == {"provider": "the provider", "id": "7"}


async def test_a_browsers_subscription_is_taken_as_the_browser_gives_it() -> None:
    recorder = Recorder[PushMessage]()

    await run_one(pushes(recorder), {"recipient": BROWSER, "title": "Hi"})

    assert recorder.taken[0].target == PushTarget(
        endpoint="https://push.example/send/1", p256dh=KEY, auth=SECRET
    )


@pytest.mark.parametrize(
    ("payload", "places"),
    [
        ({"recipient": "token"}, ["/title"]),
        ({"recipient": "token", "title": "a", "subject": "b"}, ["/subject"]),
        ({"recipient": "token", "title": ""}, ["/title"]),
        ({"recipient": "token", "title": "x" * 201}, ["/title"]),
        ({"recipient": "token", "title": "a", "body": "x" * 3_001}, ["/body"]),
        ({"recipient": "", "title": "a"}, ["/recipient"]),
        ({"recipient": "a b", "title": "a"}, ["/recipient"]),
        ({"recipient": "x" * 4_097, "title": "a"}, ["/recipient"]),
        ({"recipient": BROWSER | {"endpoint": "http://push.example/"}, "title": "a"}, ["/recipient"]),
        ({"recipient": BROWSER | {"endpoint": "https://u:p@push.example/"}, "title": "a"}, ["/recipient"]),
        ({"recipient": BROWSER | {"keys": {"p256dh": "x", "auth": SECRET}}, "title": "a"}, ["/recipient"]),
        ({"recipient": BROWSER | {"keys": {"p256dh": KEY, "auth": "y"}}, "title": "a"}, ["/recipient"]),
        ({"title": "a"}, ["/recipient"]),
    ],
)
def test_what_cannot_become_a_message_is_refused_by_its_field(
    payload: dict[str, object], places: list[str]
) -> None:
    assert list(faults_of(pushes(), payload)) == places


def test_the_type_has_its_own_queue() -> None:
    [declared] = pushes()

    assert (declared.name, declared.rules.queue) == ("push", "push")
