"""A client over HTTP whose server is away, breaks off, or is another one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from attrs import define, field

import jobmill
from jobmill import Client, Submission
from jobmill.application.errors import AnswerLost

from tests.integration.sql.shop import Charge, charge

Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]
JOB = (
    '{"id":"019b0000-0000-7000-8000-000000000000","type":"t","status":"queued","attempts":0,'
    '"max_attempts":3,"payload":{},"queue":"q","priority":"normal","timeout_s":60,'
    '"created_at":"2030-01-31T08:00:00Z","updated_at":"2030-01-31T08:00:00Z"}'
)


@define(kw_only=True)
class Stranger:
    """A server that does to each request what the test says, the last of it for ever."""

    answers: list[Speak]
    url: str = ""
    heads: list[str] = field(factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await answer(writer)
        writer.close()


@asynccontextmanager
async def meeting(*answers: Speak, api_key: str | None = None) -> AsyncGenerator[tuple[Client, Stranger]]:
    stranger = Stranger(answers=list(answers))
    server = await asyncio.start_server(stranger.serve, "127.0.0.1", 0)
    stranger.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, jobmill.connect(stranger.url, api_key=api_key) as client:
        yield client, stranger


async def breaks_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{")
    await writer.drain()


def says(status: str, body: str = "", *headers: str) -> Speak:
    async def speak(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
        writer.write("\r\n".join([*lines, "", body]).encode())
        await writer.drain()

    return speak


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with meeting(breaks_off) as (_, stranger):
        gone = stranger.url

    async with jobmill.connect(gone) as client:
        with pytest.raises(jobmill.Unavailable, match="nothing was sent") as error:
            await client.submit(charge, Charge(7))

    assert error.value.retry_after > timedelta(0)


async def test_a_submission_that_broke_off_is_not_sent_again_and_called_unknown() -> None:
    async with meeting(breaks_off) as (client, stranger):
        with pytest.raises(AnswerLost, match="may have been done or not"):
            await client.submit(charge, Charge(7))

        assert len(stranger.heads) == 1


async def test_a_submission_with_a_key_is_sent_again() -> None:
    full = says("503 Busy", '{"code":"queue-full","detail":"full"}', "retry-after: 7")

    async with meeting(breaks_off, full) as (client, stranger):
        with pytest.raises(jobmill.QueueFull) as error:
            await client.submit(charge, Charge(7), idempotency_key="k")

        assert len(stranger.heads) == 2
        assert error.value.retry_after == timedelta(seconds=7)


async def test_of_several_jobs_all_need_a_key_to_be_sent_again() -> None:
    orders = [Submission(charge, Charge(1), options={"idempotency_key": "1"}), Submission(charge, Charge(2))]

    async with meeting(breaks_off) as (client, stranger):
        with pytest.raises(AnswerLost):
            await client.submit_many(orders)

        assert len(stranger.heads) == 1


async def test_a_question_that_broke_off_is_asked_again() -> None:
    async with meeting(breaks_off, says("200 OK", "[]")) as (client, stranger):
        assert await client.list() == []

        assert len(stranger.heads) == 2


async def test_the_key_of_the_api_is_sent_as_a_bearer_token() -> None:
    async with meeting(says("200 OK", "[]"), api_key="s3cret") as (client, stranger):
        await client.list()

        assert "Authorization: Bearer s3cret\r\n" in stranger.heads[0]


async def test_a_key_that_is_refused_is_for_a_person_to_mend() -> None:
    async with meeting(says("401 Unauthorized")) as (client, _):
        with pytest.raises(jobmill.SetupFault, match="api_key"):
            await client.list()


@pytest.mark.parametrize("answer", [says("404 Not Found", "<html>"), says("200 OK", "<html>")])
async def test_a_server_that_is_no_jobmill_is_for_a_person_to_mend(answer: Speak) -> None:
    async with meeting(answer) as (client, stranger):
        with pytest.raises(jobmill.SetupFault, match=stranger.url):
            await client.list()


async def test_a_proxy_in_trouble_is_a_matter_of_time() -> None:
    async with meeting(says("502 Bad Gateway", "<html>", "retry-after: 3")) as (client, _):
        with pytest.raises(jobmill.Unavailable) as error:
            await client.list()

        assert error.value.retry_after == timedelta(seconds=3)


async def test_a_code_that_this_version_does_not_know_keeps_its_name() -> None:
    async with meeting(says("409 Conflict", '{"code":"brand-new","detail":"no"}')) as (client, _):
        with pytest.raises(jobmill.JobmillError, match="no") as error:
            await client.list()

        assert error.value.code == "brand-new"


@pytest.mark.parametrize("verb", ["requeue", "cancel"])
async def test_a_change_without_a_body_claims_no_kind_of_body(verb: str) -> None:
    async with meeting(says("200 OK", JOB)) as (client, stranger):
        await getattr(client, verb)("019b0000-0000-7000-8000-000000000000")

        assert "content-type" not in stranger.heads[0].lower()


async def test_what_needs_the_database_says_so() -> None:
    async with meeting(says("200 OK", "[]")) as (client, stranger):
        with pytest.raises(jobmill.NeedsDatabase, match="leave `within=` out"):
            client.as_sql(charge, Charge(7))
        with pytest.raises(jobmill.NeedsDatabase):
            await client.submit(charge, Charge(7), within=_Session())

        assert stranger.heads == []


async def test_a_wait_whose_server_answers_at_once_does_not_ask_without_a_pause() -> None:
    async with meeting(says("200 OK", JOB)) as (client, stranger):
        with pytest.raises(jobmill.WaitTimedOut):
            await client.wait("019b0000-0000-7000-8000-000000000000", timeout=timedelta(seconds=1.2))

        assert len(stranger.heads) <= 4


class _Session:
    def begin_nested(self) -> None: ...
