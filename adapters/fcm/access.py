"""Access tokens: asked for with a signed claim (RFC 7523), kept while they last."""

import asyncio
from datetime import datetime, timedelta
from typing import Final, TypeGuard
from urllib.parse import urlencode

import jwt
from attrs import define, field

from jobmill.adapters.fcm.service_account import ServiceAccount
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.providers import ProviderUnavailable, WebClient, WebRequest
from jobmill.application.shipped.provider_answers import is_success, named, read_object

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CLAIM_LASTS: Final = timedelta(hours=1)
#: A token this near to its end is not used any more.
_SLACK: Final = timedelta(minutes=5)
_TOKEN_CHARS_MAX: Final = 8_192


@define(eq=False)
class AccessTokens:
    """One token for all messages; whoever comes while it is being asked for waits for the same answer."""

    account: ServiceAccount
    web: WebClient
    clock: Clock
    _token: str = field(default="", repr=False)
    _until: datetime | None = None
    _asking: asyncio.Lock = field(factory=asyncio.Lock)

    async def token(self) -> str:
        """Return a token that lasts for some minutes yet.

        Raises:
            ProviderUnavailable: there is none to be had.
        """
        async with self._asking:
            if self._until is None or self.clock.now() >= self._until:
                await self._ask()
            return self._token

    def forget(self, token: str) -> None:
        """Ask anew next time: somebody was refused with this one."""
        if token == self._token:
            self._until = None

    async def _ask(self) -> None:
        now = self.clock.now()
        claims = {
            "iss": self.account.email,
            "scope": SCOPE,
            "aud": self.account.token_url,
            "iat": now,
            "exp": now + _CLAIM_LASTS,
        }
        assertion = jwt.encode(claims, self.account.key, algorithm="RS256")
        answer = await self.web.call(
            WebRequest(
                method="POST",
                url=self.account.token_url,
                headers={"content-type": "application/x-www-form-urlencoded"},
                body=urlencode({"grant_type": _GRANT, "assertion": assertion}).encode(),
            )
        )
        said = read_object(answer)
        token, lasts_s = said.get("access_token"), said.get("expires_in")
        if not (is_success(answer) and _is_token(token) and isinstance(lasts_s, int)):
            mend = "look at the service account's key"
            raise ProviderUnavailable(f"no access token: answered {named(answer.status)}; {mend}")
        self._token = token
        self._until = now + timedelta(seconds=min(max(lasts_s, 0), 86_400)) - _SLACK


def _is_token(value: object) -> TypeGuard[str]:
    """A header can hold it."""
    if not isinstance(value, str) or not 0 < len(value) <= _TOKEN_CHARS_MAX:
        return False
    return value.isascii() and value.isprintable()
