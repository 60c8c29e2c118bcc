"""FastAPI, Django and Flask submit inside their own transaction, RabbitMQ being down at that moment.

All three are served beside one Jobmill; the course of the whole outage is run once and then looked at.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from attrs import frozen

from tests.e2e.mill import running_mill
from tests.projects.running import DJANGO, FASTAPI, FLASK, ROOT, Project, Shop, State, served
from tests.servers.databases import Databases
from tests.servers.ports import free_ports
from tests.servers.private_rabbitmq import PrivateRabbit, private_rabbitmq
from tests.servers.waiting import until

pytestmark = [
    pytest.mark.rabbitmq,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

PROJECTS: Final = (FASTAPI, DJANGO, FLASK)


@frozen(kw_only=True)
class Course:
    """What was seen of one shop while RabbitMQ was down, and when it was back."""

    declined: int
    after_declined: State
    accepted: int
    after_accepted: State
    at_last: State


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def courses(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Mapping[str, Course]]:
    folder = tmp_path_factory.mktemp("shops")
    async with AsyncExitStack() as stack:
        rabbit = await stack.enter_async_context(private_rabbitmq())
        url = await stack.enter_async_context(databases.fresh())
        await stack.enter_async_context(_jobmill(url, rabbit, folder))
        shops = [await stack.enter_async_context(served(project, url, folder)) for project in PROJECTS]
        yield await _outage(rabbit, shops)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
async def test_what_the_framework_rolls_back_was_never_submitted(
    courses: Mapping[str, Course], project: Project
) -> None:
    course = courses[project.name]

    assert course.declined == 402
    assert course.after_declined == State(orders=0, done=0, jobs=[])


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
async def test_what_it_commits_is_one_order_and_exactly_one_job(
    courses: Mapping[str, Course], project: Project
) -> None:
    course = courses[project.name]

    assert course.accepted == 201
    assert course.after_accepted == State(orders=1, done=0, jobs=[("queued", 0)])


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
async def test_the_job_runs_once_when_rabbitmq_is_back(
    courses: Mapping[str, Course], project: Project
) -> None:
    assert courses[project.name].at_last == State(orders=1, done=1, jobs=[("succeeded", 1)])


@asynccontextmanager
async def _jobmill(url: str, rabbit: PrivateRabbit, folder: Path) -> AsyncGenerator[None]:
    [port] = free_ports(1)
    settings = {
        "JOBMILL_DATABASE_URL": url,
        "JOBMILL_BROKER_URL": rabbit.url,
        "JOBMILL_HANDLERS": ",".join(project.handlers for project in PROJECTS),
        "PYTHONPATH": str(ROOT),
    }
    async with running_mill(folder, port, settings) as mill:
        await mill.serves(mill.start("up"))
        yield


async def _outage(rabbit: PrivateRabbit, shops: Sequence[Shop]) -> Mapping[str, Course]:
    await rabbit.stop()
    declined = [(await shop.order_with_a_bad_card(), await shop.state()) for shop in shops]
    accepted = [(await shop.order(), await shop.state()) for shop in shops]
    await rabbit.start()

    async def all_done() -> bool:
        return all([(await shop.state()).done for shop in shops])

    await until(all_done, within_s=60)
    return {
        shop.project.name: Course(
            declined=no[0],
            after_declined=no[1],
            accepted=yes[0],
            after_accepted=yes[1],
            at_last=await shop.state(),
        )
        for shop, no, yes in zip(shops, declined, accepted, strict=True)
    }
