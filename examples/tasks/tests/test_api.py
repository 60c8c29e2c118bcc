"""The web API alone: what it refuses, and that a task and its event are one."""

import json
from typing import Any

import httpx
import pytest

from task_board.board import Board
from task_board.events import announce
from task_board.jobs import task_created
from task_board.tables import Task

TASK = {"title": "Write", "userId": 1}
JSON = {"content-type": "application/json"}


async def events(board: Board) -> list[dict[str, Any]]:
    """The events that are stored, oldest first, each as it goes over the wire."""
    jobs = await board.mill.list(queue="task_events")
    return [job.payload for job in reversed(jobs) if job.type != "clean_up"]


async def test_each_change_of_a_task_is_an_event(client: httpx.AsyncClient, board: Board) -> None:
    made = (await client.post("/tasks", json=TASK)).json()
    changed = (await client.patch("/tasks/1", json={"status": "completed"})).json()
    gone = await client.delete("/tasks/1")

    told = await events(board)
    assert made == {"id": 1, "description": "", "status": "pending", "categoryId": None, **TASK}
    assert changed == {**made, "status": "completed"}
    assert gone.status_code == 204
    assert [event["type"] for event in told] == ["TASK_CREATED", "TASK_UPDATED", "TASK_DELETED"]
    assert [event["payload"] for event in told] == [made, changed, changed]
    assert all(event.keys() == {"type", "payload", "metadata"} for event in told)
    assert all(event["metadata"].keys() == {"eventId", "timestamp"} for event in told)
    assert len({event["metadata"]["eventId"] for event in told}) == 3


async def test_what_is_rolled_back_was_never_told(client: httpx.AsyncClient, board: Board) -> None:
    async def fails_late() -> None:
        async with board.sessions.begin() as session:
            task = Task(title="Write", description="", status="pending", user_id=1)
            session.add(task)
            await session.flush()
            await announce(board.mill, task_created, task, within=session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails_late()

    assert (await client.get("/tasks")).json() == []
    assert await events(board) == []


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["title", "userId"]),
        ({**TASK, "title": 7, "status": "done"}, ["title", "status"]),
        ({**TASK, "userId": "1"}, ["userId"]),
        ({**TASK, "userId": 99}, ["userId"]),
        ({**TASK, "categoryId": 2**31}, ["categoryId"]),
        ({**TASK, "user_id": 1}, ["user_id"]),
        ({**TASK, "title": "two\nlines"}, ["title"]),
        ({**TASK, "title": ""}, ["title"]),
        ({**TASK, "description": "x" * 2001}, ["description"]),
        ({**TASK, "description": "\ud800"}, ["description"]),
        ({**TASK, "description": "\x00"}, ["description"]),
    ],
)
async def test_what_does_not_fit_is_refused_with_every_place(
    client: httpx.AsyncClient, board: Board, body: dict[str, Any], places: list[str]
) -> None:
    answer = await client.post("/tasks", content=json.dumps(body), headers=JSON)

    assert answer.status_code == 422, answer.text
    assert [fault["loc"][-1] for fault in answer.json()["detail"]] == places
    assert await events(board) == []


@pytest.mark.parametrize("body", [{}, {"title": None}, {"id": 2}, {"userId": 99}])
async def test_a_change_that_does_not_fit_changes_nothing(
    client: httpx.AsyncClient, board: Board, body: dict[str, Any]
) -> None:
    made = (await client.post("/tasks", json=TASK)).json()

    answer = await client.patch("/tasks/1", json=body)

    assert answer.status_code == 422, answer.text
    assert (await client.get("/tasks/1")).json() == made
    assert len(await events(board)) == 1


async def test_the_longest_texts_fit_into_an_event(client: httpx.AsyncClient) -> None:
    long = {**TASK, "title": "\N{GRINNING FACE}" * 200, "description": "\N{GRINNING FACE}" * 2000}

    assert (await client.post("/tasks", json=long)).status_code == 201


async def test_a_body_is_bounded(client: httpx.AsyncClient) -> None:
    large = await client.post("/users", content=b" " * 70_000)

    assert large.status_code == 413


async def test_users_and_categories_are_made_read_changed_and_deleted(client: httpx.AsyncClient) -> None:
    for path, body in (
        ("/users", {"name": "Bob", "email": "bob@example.com"}),
        ("/categories", {"name": "Home"}),
    ):
        made = (await client.post(path, json=body)).json()
        one = f"{path}/{made['id']}"
        assert made == {"id": made["id"], **body}
        assert (await client.post(path, json=body)).status_code == 409
        changed = (await client.patch(one, json={"name": "New"})).json()
        assert (await client.get(one)).json() == changed == {**made, "name": "New"}
        assert changed in (await client.get(path)).json()
        assert (await client.delete(one)).status_code == 204
        assert [(await client.request(verb, one)).status_code for verb in ("GET", "DELETE")] == [404, 404]


async def test_a_user_with_tasks_stays(client: httpx.AsyncClient) -> None:
    await client.post("/tasks", json=TASK)

    assert (await client.delete("/users/1")).status_code == 409
    assert (await client.get("/users/1")).status_code == 200


async def test_tasks_are_found_by_what_they_are(client: httpx.AsyncClient) -> None:
    await client.post("/categories", json={"name": "Home"})
    for status, category in (("pending", None), ("completed", 1), ("completed", None)):
        await client.post("/tasks", json={**TASK, "status": status, "categoryId": category})

    async def found(**query: str) -> list[int]:
        return [task["id"] for task in (await client.get("/tasks", params=query)).json()]

    assert await found() == [1, 2, 3]
    assert await found(status="completed") == [2, 3]
    assert await found(status="completed", categoryId="1") == [2]
    assert await found(userId="2") == []
    assert await found(after="1", limit="1") == [2]
    assert (await client.get("/tasks", params={"status": "done"})).status_code == 422


async def test_its_own_page_asks_no_other_site(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text

    assert "swagger-ui-bundle.js" in page
    assert "cdn" not in page
    assert {"/users", "/categories", "/tasks"} <= (await client.get("/openapi.json")).json()["paths"].keys()
