"""What every ``MessageBus`` does."""

import asyncio
from datetime import timedelta

from jobmill.application.ports.message_bus import (
    Lane,
    MessageBus,
    Parcel,
    PublishOutcome,
    ToDead,
    ToLane,
)
from jobmill.domain.states import Priority
from jobmill.testing.contracts.bus_world import (
    LANE,
    NO_LANE,
    PATIENCE_S,
    BusWorld,
    a_parcel,
    next_of,
    text_of,
)
from jobmill.testing.contracts.waiting import until


async def test_a_parcel_arrives_as_it_was_sent(mail: BusWorld) -> None:
    await mail.publishes(a_parcel("töst", jobs=3, type="email"))

    async with mail.receives() as deliveries:
        delivery = await next_of(deliveries)
        delivery.ack()

    assert delivery.body == "töst".encode()
    assert delivery.content_type == "application/json"
    assert {"jobs": "3", "type": "email"}.items() <= delivery.headers.items()


async def test_any_bytes_may_be_a_body(mail: BusWorld) -> None:
    body = bytes(range(256))
    [outcome] = await mail.bus.publish(
        [Parcel(destination=ToLane(lane=LANE), body=body, content_type="x/y", headers={})]
    )

    async with mail.receives() as deliveries:
        delivery = await next_of(deliveries)
        delivery.ack()

    assert outcome is PublishOutcome.CONFIRMED
    assert delivery.body == body


async def test_parcels_of_a_lane_arrive_in_the_order_of_their_sending(mail: BusWorld) -> None:
    await mail.sends("1", "2", "3")

    assert await mail.takes_all_until("3") == ["1", "2", "3"]


async def test_a_lane_receives_nothing_of_its_neighbours(mail: BusWorld) -> None:
    urgent = Lane(queue=LANE.queue, priority=Priority.HIGH)
    other_queue = Lane(queue="email", priority=LANE.priority)
    await mail.sends("urgent", lane=urgent)
    await mail.sends("other", lane=other_queue)
    await mail.sends("mine")

    assert await mail.takes_all_until("mine") == ["mine"]
    assert await mail.takes_all_until("urgent", lane=urgent) == ["urgent"]
    assert await mail.takes_all_until("other", lane=other_queue) == ["other"]


async def test_who_waits_already_receives_what_comes(mail: BusWorld) -> None:
    async with mail.receives() as deliveries:
        waiting = asyncio.ensure_future(next_of(deliveries))
        assert await mail.is_still_waiting(waiting)
        await mail.sends("at last")
        delivery = await waiting
        delivery.ack()

    assert text_of(delivery) == "at last"


async def test_giving_up_a_wait_loses_no_message(mail: BusWorld) -> None:
    async with mail.receives() as deliveries:
        waiting = asyncio.ensure_future(next_of(deliveries))
        assert await mail.is_still_waiting(waiting)
        waiting.cancel()
        await asyncio.wait({waiting})
        await mail.sends("1")
        delivery = await next_of(deliveries)
        delivery.ack()

    assert text_of(delivery) == "1"


async def test_the_answer_to_each_parcel_stands_at_its_position(mail: BusWorld) -> None:
    outcomes = await mail.publishes(
        a_parcel("first"),
        a_parcel("astray", to=ToLane(lane=NO_LANE)),
        a_parcel("last"),
    )

    assert outcomes == [PublishOutcome.CONFIRMED, PublishOutcome.UNROUTABLE, PublishOutcome.CONFIRMED]
    assert await mail.takes_all_until("last") == ["first", "last"]


async def test_publishing_nothing_is_answered_by_nothing(mail: BusWorld) -> None:
    assert await mail.publishes() == []


async def test_dead_letters_are_taken_for_queues_that_exist(mail: BusWorld) -> None:
    outcomes = await mail.publishes(
        a_parcel(to=ToDead(queue=LANE.queue)), a_parcel(to=ToDead(queue=NO_LANE.queue))
    )

    assert outcomes == [PublishOutcome.CONFIRMED, PublishOutcome.UNROUTABLE]


async def test_a_dead_letter_is_in_no_lane(mail: BusWorld) -> None:
    await mail.publishes(a_parcel("dead", to=ToDead(queue=LANE.queue)))
    await mail.sends("alive")

    assert await mail.takes_all_until("alive") == ["alive"]


async def test_the_ladder_is_never_early(mail: BusWorld) -> None:
    loop = asyncio.get_running_loop()
    sent = loop.time()
    await mail.sends_later("later", timedelta(seconds=0.4))

    assert await mail.takes_all_until("later") == ["later"]
    assert loop.time() - sent >= 0.4


async def test_a_short_wait_in_the_ladder_is_not_held_up_by_a_long_one(mail: BusWorld) -> None:
    await mail.sends_later("long", timedelta(hours=1))
    await mail.sends_later("short", timedelta(seconds=0.1))

    assert await mail.takes_all_until("short") == ["short"]


async def test_no_wait_at_all_goes_through_the_ladder_too(mail: BusWorld) -> None:
    await mail.sends_later("now", timedelta(0))

    assert await mail.takes_all_until("now") == ["now"]


async def test_the_ladder_leads_back_to_the_lane_it_was_told(mail: BusWorld) -> None:
    low = Lane(queue="email", priority=Priority.LOW)
    await mail.sends_later("later", timedelta(seconds=0.1), lane=low)

    assert await mail.takes_all_until("later", lane=low) == ["later"]


async def test_no_more_is_held_unanswered_than_the_prefetch(mail: BusWorld) -> None:
    await mail.sends("1", "2", "3")

    async with mail.receives(prefetch=2) as deliveries:
        first, second = await next_of(deliveries), await next_of(deliveries)
        third = asyncio.ensure_future(next_of(deliveries))
        assert await mail.is_still_waiting(third)
        first.ack()
        assert text_of(await third) == "3"
        second.ack()
        third.result().ack()


async def test_a_released_delivery_makes_room_as_well(mail: BusWorld) -> None:
    await mail.sends("1")

    async with mail.receives(prefetch=1) as deliveries:
        (await next_of(deliveries)).release()
        again = await next_of(deliveries)
        again.ack()

    assert text_of(again) == "1"


async def test_what_is_released_is_for_anyone(mail: BusWorld) -> None:
    await mail.sends("1")

    async with mail.receives(prefetch=1) as mine:
        kept = await next_of(mine)
        async with mail.receives(prefetch=1) as theirs:
            waiting = asyncio.ensure_future(next_of(theirs))
            assert await mail.is_still_waiting(waiting)
            kept.release()
            taken = await waiting
            taken.ack()

    assert text_of(taken) == "1"


async def test_what_is_acknowledged_never_comes_again(mail: BusWorld) -> None:
    await mail.sends("1")
    assert await mail.takes_all_until("1") == ["1"]
    await mail.sends("2")

    assert await mail.takes_all_until("2") == ["2"]


async def test_two_receivers_share_a_lane(mail: BusWorld) -> None:
    await mail.sends("1", "2")

    async with mail.receives(prefetch=1) as one, mail.receives(prefetch=1) as other:
        both = [await next_of(one), await next_of(other)]
        for delivery in both:
            delivery.ack()

    assert {text_of(delivery) for delivery in both} == {"1", "2"}


async def test_leaving_puts_back_what_was_never_handed_out(mail: BusWorld) -> None:
    await mail.sends("1", "2", "3")
    async with mail.receives(prefetch=3) as deliveries:
        (await next_of(deliveries)).ack()

    assert sorted(await mail.takes(2)) == ["2", "3"]


async def test_after_leaving_a_delivery_can_still_be_acknowledged(mail: BusWorld) -> None:
    await mail.sends("kept")
    async with mail.receives(prefetch=1) as deliveries:
        kept = await next_of(deliveries)
    kept.ack()
    await mail.sends("last")

    assert await mail.takes_all_until("last") == ["last"]


async def test_after_leaving_a_delivery_can_still_be_released(mail: BusWorld) -> None:
    await mail.sends("kept")
    async with mail.receives(prefetch=1) as deliveries:
        kept = await next_of(deliveries)
    kept.release()

    assert await mail.takes_all_until("kept") == ["kept"]


async def test_what_is_held_is_not_handed_to_another(mail: BusWorld) -> None:
    await mail.sends("held", "free")
    async with mail.receives(prefetch=1) as deliveries:
        held = await next_of(deliveries)

        assert await mail.takes_all_until("free") == ["free"]
        held.ack()


async def test_depths_count_what_is_ready(mail: BusWorld) -> None:
    empty = Lane(queue="email", priority=Priority.LOW)
    await mail.sends("1", "2")

    async def counted() -> bool:
        return await mail.bus.depths([LANE, empty]) == {LANE: 2, empty: 0}

    assert await until(counted, within_s=PATIENCE_S)


async def test_a_lane_that_does_not_exist_has_no_depth(mail: BusWorld) -> None:
    assert await mail.bus.depths([NO_LANE, LANE]) == {NO_LANE: None, LANE: 0}


async def test_a_new_broker_has_no_epoch(bus: MessageBus) -> None:
    assert await bus.epoch() is None


async def test_the_epoch_is_the_one_marked_last(bus: MessageBus) -> None:
    await bus.mark_epoch("first")
    assert await bus.epoch() == "first"
    await bus.mark_epoch("second")
    assert await bus.epoch() == "second"

    # Reading does not use the marker up.
    assert await bus.epoch() == "second"


async def test_an_open_bus_is_up(bus: MessageBus) -> None:
    assert bus.is_up
