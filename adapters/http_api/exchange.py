"""One request to the HTTP API and its answer: bounded, and sent again only where that does no harm."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import ClientConnectionError, ClientConnectorError, ClientError, ClientSession
from attrs import frozen
from yarl import URL

from jobmill.adapters.http_api.bounds import ANSWER_BYTES_MAX, CONNECT_S, PAUSES_S, TOTAL_S
from jobmill.adapters.http_api.problems import error_of
from jobmill.application.errors import AnswerLost, SetupFault, Unavailable

_BAD: Final = 300
_encode: Final = msgspec.json.encode


class _NothingSent(Exception):
    """There was no connection."""


class _BrokenOff(Exception):
    """There was one, and no whole answer."""


@frozen(kw_only=True)
class Answer:
    """A good answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@frozen(kw_only=True)
class Exchange:
    """The API at one address, through one pool of connections."""

    session: ClientSession
    address: URL

    @property
    def place(self) -> str:
        """The address for a person, without a secret."""
        return str(self.address.with_user(None))

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, more_s: float = 0) -> Answer:
        """Ask for something; ``more_s`` is how much longer than usual the answer may take."""
        return await self._tried("GET", path, query=query or {}, is_repeatable=True, total_s=TOTAL_S + more_s)

    async def post(self, path: str, body: Any = None, *, is_repeatable: bool = False) -> Answer:  # noqa: ANN401
        """Ask for a change.

        Args:
            body: plain values; without any if None.
            is_repeatable: doing it twice is doing it once.

        Raises:
            AnswerLost: it may have been done or not.
        """
        data = None if body is None else _encode(body)
        return await self._tried("POST", path, data=data, is_repeatable=is_repeatable)

    async def _tried(
        self,
        method: str,
        path: str,
        *,
        is_repeatable: bool,
        query: Mapping[str, str] = {},
        data: bytes | None = None,
        total_s: float = TOTAL_S,
    ) -> Answer:
        url = self.address.joinpath(*path.split("/")).with_query(query)
        for pause_s in (*PAUSES_S, None):
            try:
                async with asyncio.timeout(total_s):
                    return await self._once(method, url, data)
            except TimeoutError as error:
                words = f"{self.place} did not answer within {total_s:g} s"
                raise self._lost(words, is_repeatable=is_repeatable) from error
            except _NothingSent as error:
                if pause_s is None:
                    raise Unavailable(f"{self.place} cannot be reached: {error}; nothing was sent") from error
            except _BrokenOff as error:
                if pause_s is None or not is_repeatable:
                    words = f"{self.place} broke off: {error}"
                    raise self._lost(words, is_repeatable=is_repeatable) from error
            await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    def _lost(self, words: str, *, is_repeatable: bool) -> Unavailable:
        if is_repeatable:
            return Unavailable(words)
        return AnswerLost(
            f"{words}; what was asked may have been done or not: look first, and give jobs an "
            "`idempotency_key`, so that submitting them again is safe"
        )

    async def _once(self, method: str, url: URL, data: bytes | None) -> Answer:
        headers = {} if data is None else {"content-type": "application/json"}
        # Of a body that is not there nothing is claimed; by itself aiohttp calls it octets.
        unsaid = ["content-type"] if data is None else []
        try:
            async with self.session.request(
                method, url, data=data, headers=headers, skip_auto_headers=unsaid, allow_redirects=False
            ) as response:
                body = await response.content.read(ANSWER_BYTES_MAX)
                while chunk := await response.content.read(ANSWER_BYTES_MAX):
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise SetupFault(f"{self.place} answers with more than {ANSWER_BYTES_MAX:,} bytes")
        except ClientConnectorError as error:
            raise _NothingSent(str(error.os_error)) from error
        except (ClientConnectionError, ClientError, OSError) as error:
            raise _BrokenOff(str(error) or type(error).__name__) from error
        if response.status >= _BAD:
            retry_after = response.headers.get("Retry-After")
            raise error_of(response.status, body, place=self.place, retry_after=retry_after)
        return Answer(status=response.status, body=body, headers=response.headers)


assert CONNECT_S < TOTAL_S, "a connection must be given up before the request is"
