"""What only shows over a real connection: bodies, their bounds, and connections that are kept."""

import asyncio
import socket
from collections.abc import AsyncGenerator

import httpx
import pytest_asyncio
import uvicorn

from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, problem


@pytest_asyncio.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    """Somebody who asks an application that uvicorn serves on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        config = uvicorn.Config(ApiWorld().app, http="httptools", ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as asking:
            yield asking
        server.should_exit = True
        await serving


async def test_a_job_is_accepted_and_found(client: httpx.AsyncClient) -> None:
    accepted = await client.post("/api/jobs", json=an_email())

    found = await client.get(accepted.headers["location"])

    assert accepted.status_code == 201
    assert found.json()["id"] == accepted.json()["id"]


async def test_head_tells_the_length_and_sends_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.head("/api/types")

    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 2
    assert answer.content == b""


async def test_a_body_that_is_too_long_is_refused_and_the_next_request_is_served(
    client: httpx.AsyncClient,
) -> None:
    refused = await client.post(
        "/api/jobs", content=b" " * 1_000_000, headers={"content-type": "application/json"}
    )
    served = await client.get("/health/live")

    assert problem(refused) == (413, "too-large")
    assert served.status_code == 200


async def test_a_body_in_pieces_is_bounded_too(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(100):
            yield b" " * 1_000

    refused = await client.post("/api/jobs", content=pieces(), headers={"content-type": "application/json"})

    assert problem(refused) == (413, "too-large")


async def test_a_client_that_hangs_up_stores_nothing_and_disturbs_nobody(client: httpx.AsyncClient) -> None:
    host, port = client.base_url.host, client.base_url.port
    _, half = await asyncio.open_connection(host, port)
    head = b"POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    half.write(head + b"content-length: 90\r\n\r\n" + b'{"type":')
    await half.drain()
    half.close()
    await half.wait_closed()

    answer = await client.get("/api/jobs")

    assert answer.json() == []
