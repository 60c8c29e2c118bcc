"""What every ``MessageBus`` does with the shares of a fair queue: they are lanes like any."""

from datetime import timedelta

import pytest

from jobmill.application.ports.message_bus import Lane, PublishOutcome, ToLane
from jobmill.domain.states import Priority
from jobmill.testing.contracts.bus_world import BusWorld, a_parcel


@pytest.mark.parametrize("priority", Priority)
async def test_the_shares_of_a_fair_lane_are_lanes_of_their_own(mail: BusWorld, priority: Priority) -> None:
    first, second = (Lane(queue="fair", priority=priority, share=share) for share in (0, 1))
    await mail.sends("1", "2", lane=first)
    await mail.sends("other", lane=second)

    assert await mail.takes_all_until("2", lane=first) == ["1", "2"]
    assert await mail.takes_all_until("other", lane=second) == ["other"]


async def test_the_ladder_leads_back_to_the_share_it_was_told(mail: BusWorld) -> None:
    second = Lane(queue="fair", priority=Priority.LOW, share=1)
    await mail.sends_later("later", timedelta(seconds=0.1), lane=second)

    assert await mail.takes_all_until("later", lane=second) == ["later"]


async def test_a_lane_has_no_more_shares_than_were_declared(mail: BusWorld) -> None:
    beyond = Lane(queue="fair", priority=Priority.HIGH, share=2)
    of_a_plain_queue = Lane(queue="default", priority=Priority.HIGH, share=1)

    outcomes = await mail.publishes(*(a_parcel(to=ToLane(lane=lane)) for lane in (beyond, of_a_plain_queue)))

    assert outcomes == 2 * [PublishOutcome.UNROUTABLE]
    assert await mail.bus.depths([beyond, of_a_plain_queue]) == {beyond: None, of_a_plain_queue: None}
