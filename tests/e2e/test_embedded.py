"""The first ten minutes of a newcomer: one process, no servers."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from tests.e2e.mill import Mill, all_jobs, ended, submit
from tests.servers.ports import free_ports
from tests.servers.waiting import until

pytestmark = pytest.mark.e2e


async def test_a_mail_a_webhook_and_a_job_that_fails_twice(embedded: Mill, client: httpx.AsyncClient) -> None:
    received: list[object] = []
    [port] = free_ports(1)
    listener = await _listen(port, received)
    await embedded.serves(embedded.start("up"))

    mail = await submit(client, "email", {"recipient": "ada@example.com", "subject": "Hi", "body": "Hello"})
    hook = await submit(client, "webhook", {"url": f"http://127.0.0.1:{port}/orders", "body": {"order": 7}})
    flaky = await submit(client, "simulate", {"fail_first": 2})

    sent = await ended(client, mail["id"])
    assert sent["status"] == "succeeded"
    assert "ada@example.com" in (embedded.folder / sent["result"]["outbox"]).read_text()
    called = await ended(client, hook["id"])
    assert called["result"]["status"] == 200
    assert received == [{"order": 7}]
    done = await ended(client, flaky["id"])
    assert (done["status"], done["attempts"], done["error"]) == ("succeeded", 3, None)
    assert [(entry["attempt"], entry["error"]) for entry in done["history"]] == [
        (1, "simulated failure"),
        (2, "simulated failure"),
    ]
    await listener.cleanup()


async def test_after_a_kill_every_job_that_waited_is_finished(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    first = embedded.start("up", "--concurrency", "4")
    await embedded.serves(first)
    jobs = [{"type": "simulate", "payload": {"duration_s": 0.1}} for _ in range(1_000)]
    answer = await client.post("/api/jobs/batch", json={"jobs": jobs})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    await _some_have_succeeded(client)
    await first.kill()

    await embedded.serves(embedded.start("up", name="second"))

    async def none_is_open() -> bool:
        open_states = "scheduled,queued,processing,retrying"
        return not (await client.get("/api/jobs", params={"status": open_states, "limit": 1})).json()

    assert await until(none_is_open, within_s=55)
    every = await all_jobs(client)
    assert len({job["id"] for job in every}) == 1_000
    assert {job["status"] for job in every} == {"succeeded"}
    assert sum(job["attempts"] > 1 for job in every) <= 4, "only what ran at the kill took a second attempt"


async def test_a_command_in_a_second_terminal_starts_within_a_moment(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    await embedded.serves(embedded.start("up"))

    code, printed = await embedded.run("submit", "simulate", "{}", "--wait")

    assert code == 0, printed
    assert "attempt 1  succeeded" in printed


async def test_a_dead_letter_is_requeued_from_the_command_line(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    await embedded.serves(embedded.start("up"))
    wrong = {"failure": "permanent", "fail_first": 1}

    code, printed = await embedded.run("submit", "simulate", json.dumps(wrong), "--wait")

    assert code == 3, printed
    [dead] = (await client.get("/api/dead-letters")).json()
    assert dead["kind"] == "failed"
    code, printed = await embedded.run("requeue", dead["id"], "--payload", '{"fail_first": 0}')
    assert code == 0, printed
    again = await ended(client, dead["id"])
    assert (again["status"], again["attempts"]) == ("succeeded", 1)


async def test_a_second_mill_in_the_same_folder_is_refused_with_the_first_ones_process_id(
    embedded: Mill,
) -> None:
    first = embedded.start("up")
    await embedded.serves(first)
    [other] = free_ports(1)

    code, printed = await embedded.run("up", "--port", str(other))

    assert code == 1
    assert f"process {first.pid} holds" in printed


async def test_a_port_that_is_taken_is_one_line_and_the_mend(embedded: Mill, tmp_path: Path) -> None:
    await embedded.serves(embedded.start("up"))
    (tmp_path / "elsewhere").mkdir()
    neighbour = Mill(folder=tmp_path / "elsewhere", port=embedded.port)

    code, printed = await neighbour.run("up")

    assert code == 1
    assert printed.strip() == (
        f"jobmill: port {embedded.port} is taken: stop what listens there, "
        f"or choose another: --port {embedded.port + 1}"
    )


async def test_ctrl_c_lets_running_jobs_finish_and_keeps_the_rest(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    first = embedded.start("up", "--concurrency", "1")
    await embedded.serves(first)
    running = await submit(client, "simulate", {"duration_s": 1.5})
    waiting = await submit(client, "simulate", {})
    await _is("processing", client, running["id"])

    first.interrupt()
    assert await first.wait(within_s=20) == 0, first.last_words()

    second = embedded.start("up", name="second")
    await embedded.serves(second)
    done = await ended(client, running["id"])
    assert (done["status"], done["attempts"]) == ("succeeded", 1)
    assert (await ended(client, waiting["id"]))["attempts"] == 1


async def _listen(port: int, received: list[object]) -> web.AppRunner:
    async def take(request: web.Request) -> web.Response:
        received.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/orders", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def _is(status: str, client: httpx.AsyncClient, job_id: str) -> None:
    async def so() -> bool:
        return bool((await client.get(f"/api/jobs/{job_id}")).json()["status"] == status)

    assert await until(so, within_s=20)


async def _some_have_succeeded(client: httpx.AsyncClient) -> None:
    async def some() -> bool:
        return bool((await client.get("/api/jobs", params={"status": "succeeded", "limit": 1})).json())

    assert await asyncio.wait_for(until(some, within_s=20), 30)
