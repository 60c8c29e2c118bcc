"""``JobRepository.add``: whatever a text holds, and beside which others it is sent."""

from datetime import timedelta

import pytest

from jobmill.testing.builders import a_job
from jobmill.testing.contracts.store_world import StoreWorld


@pytest.mark.parametrize(
    "text", ["", " ", "NULL", "null", '"', "\\", "\\N", "{}", "a,{b}", "\n\t", "'", "ü🦆"]
)
async def test_every_text_is_kept_to_the_letter_beside_others_and_none(world: StoreWorld, text: str) -> None:
    told = a_job(
        type=text, queue=text, payload=text, result=text, error=text, worker=text, tenant=text,
        correlation_id=text, idempotency_key=text, tags=(text, "other"),
        origin=text,
    )  # fmt: skip
    jobs = [told, a_job(), a_job(type="other", tenant="other", ttl=-timedelta(days=2, microseconds=1))]

    await world.add(*jobs)

    assert await world.store.jobs.get([job.id for job in jobs]) == jobs
