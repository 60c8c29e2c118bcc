"""What is seen of a provider by whoever only looks, and asks for no call."""

from datetime import timedelta

from jobmill.application.ports.guard import CallResult, Outlook

from tests.unit.application.guarding import SMS, Guarding, passes


def outlook(process: Guarding) -> Outlook:
    return process.guard.outlook(SMS)


async def test_a_provider_of_which_nothing_is_known_is_clear() -> None:
    assert outlook(Guarding()) is Outlook.CLEAR


async def test_while_its_breaker_is_open_it_is_shut_and_then_it_may_be_tried_once() -> None:
    process = Guarding()
    process.start()
    await process.opens()

    assert outlook(process) is Outlook.SHUT
    await passes(30)
    assert outlook(process) is Outlook.TRIAL
    probe = await process.go()
    assert outlook(process) is Outlook.SHUT
    await process.guard.tell(probe, CallResult.SUCCEEDED)
    assert outlook(process) is Outlook.TRIAL
    await process.guard.tell(await process.go(), CallResult.SUCCEEDED)
    assert outlook(process) is Outlook.CLEAR
    process.stop()


async def test_what_others_found_is_seen_within_two_seconds() -> None:
    one = Guarding()
    other = Guarding(tables=one.tables)
    one.start()
    other.start()
    await other.go()  # it has something to do with the provider
    await one.opens()
    await passes(1)

    assert outlook(other) is Outlook.SHUT
    await passes(30)
    for _ in range(2):
        await one.guard.tell(await one.go(), CallResult.SUCCEEDED)
    await passes(1.1)

    assert outlook(other) is Outlook.CLEAR
    one.stop()
    other.stop()


async def test_a_pause_is_kept_by_those_who_look() -> None:
    process = Guarding()
    await process.guard.tell(await process.go(), CallResult.BUSY, retry_after=timedelta(seconds=20))

    assert outlook(process) is Outlook.SHUT
    await passes(20)
    assert outlook(process) is Outlook.CLEAR


async def test_looking_asks_nobody() -> None:
    process = Guarding()
    before = len(process.statements)

    outlook(process)

    assert len(process.statements) == before
