"""The HTTP client: it repeats a request until it has an answer."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import aiohttp
import msgspec
from attrs import field, frozen

from tests.chaos.book import Book
from tests.chaos.mix import Order

#: An API that says nothing for so long is asked no further; the answer may be lost or under way.
ANSWER_WITHIN_S: Final = 15.0
_PAUSE_S: Final = 0.1
_TROUBLE: Final = (aiohttp.ClientError, OSError, TimeoutError)
_UNAVAILABLE: Final = 503
_LEAST_FAULT: Final = 400


class _Job(msgspec.Struct):
    id: UUID


class _Batch(msgspec.Struct):
    jobs: list[_Job]


_read_batch: Final = msgspec.json.Decoder(_Batch).decode
_read_job: Final = msgspec.json.Decoder(_Job).decode
_write: Final = msgspec.json.Encoder().encode


@frozen(kw_only=True)
class Client:
    """Speaks to all APIs in turn."""

    session: aiohttp.ClientSession
    book: Book
    urls: Sequence[str]
    _turns: Iterator[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with the first."""
        object.__setattr__(self, "_turns", itertools.cycle(self.urls))

    async def submit(self, orders: Sequence[Order]) -> list[UUID]:
        """Submit until accepted, and write that down."""
        if len(orders) == 1:
            body = dict(orders[0].body)
            headers = {"idempotency-key": f'"{body.pop("idempotency_key")}"'}
            answer = await self._insist("/api/jobs", _write(body), headers)
            ids = [_read_job(answer).id]
        else:
            request = _write({"jobs": [order.body for order in orders]})
            answer = await self._insist("/api/jobs/batch", request, {})
            ids = [job.id for job in _read_batch(answer).jobs]
        self.book.accept(orders, ids)
        return ids

    async def operate(self, job_id: UUID, verb: str, body: dict[str, Any] | None = None) -> int | None:
        """Ask once for something to be done to a job; return the status, None if no answer was read."""
        try:
            status, _ = await self._post(f"/api/jobs/{job_id}/{verb}", _write(body or {}), {})
        except _TROUBLE:
            return None
        return None if status == _UNAVAILABLE else status

    async def _insist(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        while True:
            try:
                status, answer = await self._post(path, body, headers)
            except _TROUBLE as error:
                self.book.answers[type(error).__name__] += 1
                await asyncio.sleep(_PAUSE_S)
                continue
            self.book.answers[str(status)] += 1
            if status < _LEAST_FAULT:
                return answer
            if status != _UNAVAILABLE:
                self.book.wrongs.append(f"POST {path} was answered {status}: {answer[:300]!r}")
            await asyncio.sleep(_PAUSE_S)

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        all_headers = {"content-type": "application/json", **headers}
        async with self.session.post(
            next(self._turns) + path, data=body, headers=all_headers, timeout=timeout
        ) as answer:
            return answer.status, await answer.read()
