"""Messages to devices, by one request each."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from attrs import frozen

from jobmill.adapters.fcm.access import AccessTokens
from jobmill.adapters.fcm.service_account import ServiceAccount
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.providers import (
    Carrier,
    ProviderRefused,
    ProviderUnavailable,
    PushMessage,
    WebAnswer,
    WebClient,
    WebRequest,
)
from jobmill.application.shipped.provider_answers import is_success, objection_to, read_object

#: The words of the provider's own errors that are about the device's token: no other attempt can help.
_GONE: Final = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})
_WORDS: Final = _GONE | {
    "APNS_AUTH_ERROR",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "QUOTA_EXCEEDED",
    "THIRD_PARTY_AUTH_ERROR",
    "UNAVAILABLE",
    "UNSPECIFIED_ERROR",
}


@frozen(kw_only=True)
class FcmPushes(Carrier[PushMessage]):
    """Sends messages to devices by their tokens. A device shows one message of a key, the last."""

    account: ServiceAccount
    tokens: AccessTokens
    web: WebClient
    clock: Clock

    @staticmethod
    def carries(message: PushMessage) -> bool:
        """Whether the message is for a device's token."""
        return isinstance(message.target, str)

    async def send(self, message: PushMessage, /) -> Mapping[str, str]:
        """Return the provider's name of the message."""
        try:
            token = await self.tokens.token()
        except ProviderUnavailable as error:
            # Whatever became of that request, the message itself was not sent.
            raise ProviderUnavailable(
                str(error), is_busy=error.is_busy, retry_after=error.retry_after
            ) from None
        answer = await self.web.call(self._request(message, token))
        name = read_object(answer).get("name")
        if is_success(answer) and isinstance(name, str) and name.isprintable() and len(name) <= 200:
            return {"id": name}
        raise self._objection(answer, token)

    def _request(self, message: PushMessage, token: str) -> WebRequest:
        body = {
            "message": {
                "token": message.target,
                "notification": {"title": message.title, "body": message.body},
                "android": {"collapse_key": message.key, "notification": {"tag": message.key}},
                "apns": {"headers": {"apns-collapse-id": message.key}},
            }
        }
        return WebRequest(
            method="POST",
            url=f"{self.account.base_url}/v1/projects/{quote(self.account.project, safe='')}/messages:send",
            headers={"authorization": f"Bearer {token}", "content-type": "application/json; charset=utf-8"},
            body=json.dumps(body, ensure_ascii=False).encode(),
        )

    def _objection(self, answer: WebAnswer, token: str) -> ProviderRefused | ProviderUnavailable:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.tokens.forget(token)
        word = _word(read_object(answer))
        objection = objection_to(answer, now=self.clock.now(), code=word)
        if word in _GONE and not is_success(answer):
            return ProviderRefused(f"{objection.args[0]}: the recipient's token is of no use any more")
        return objection


def _word(said: Mapping[str, Any]) -> str | None:
    """The provider's own word for an error, if it is one that is known."""
    error = said.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else []:
        word = detail.get("errorCode") if isinstance(detail, dict) else None
        if isinstance(word, str) and word in _WORDS:
            return word
    return None
