"""Texts and calls, by one request each."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from attrs import frozen

from jobmill.adapters.twilio.account import TwilioAccount
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.providers import (
    Carrier,
    PhoneCall,
    ProviderRefused,
    ProviderUnavailable,
    TextMessage,
    WebClient,
    WebRequest,
)
from jobmill.application.shipped.provider_answers import is_success, objection_to, read_object

#: About the account or the number that sends: another provider may still take it. The first is what an
#: account that is not paid up is told, the others what a region or a sender is refused with.
ABOUT_US: Final = frozenset({20005, 21210, 21212, 21215, 21408, 21603, 21606, 21612, 21659, 21660})
#: Two letters and 32 hexadecimal digits.
_SID: Final = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")


@frozen(kw_only=True)
class TwilioTexts(Carrier[TextMessage]):
    """Sends texts. The provider knows no idempotency key: what is sent twice arrives twice."""

    account: TwilioAccount
    web: WebClient
    clock: Clock

    async def send(self, message: TextMessage, /) -> Mapping[str, str]:
        """Return the provider's id of the text."""
        sender = "From" if self.account.sender.startswith("+") else "MessagingServiceSid"
        form = {"To": message.recipient, sender: self.account.sender, "Body": message.body}
        return await _post(self.account, "Messages", form, web=self.web, clock=self.clock)


@frozen(kw_only=True)
class TwilioCalls(Carrier[PhoneCall]):
    """Places calls; like texts, what is sent twice rings twice."""

    account: TwilioAccount
    web: WebClient
    clock: Clock

    async def send(self, message: PhoneCall, /) -> Mapping[str, str]:
        """Return the provider's id of the call."""
        form = {"To": message.recipient, "From": self.account.sender}
        if message.words is not None:
            form["Twiml"] = f"<Response><Say>{escape(message.words)}</Say></Response>"
        elif self.account.twiml_url is not None:
            form["Url"] = self.account.twiml_url
        else:
            mend = "give the job a message, or the provider's address a twiml_url="
            raise ProviderRefused(f"there is nothing to say in this call: {mend}")
        return await _post(self.account, "Calls", form, web=self.web, clock=self.clock)


async def _post(
    account: TwilioAccount, resource: str, form: Mapping[str, str], *, web: WebClient, clock: Clock
) -> Mapping[str, str]:
    request = WebRequest(
        method="POST",
        url=account.url_of(resource),
        headers={
            "accept": "application/json",
            "authorization": account.authorization,
            "content-type": "application/x-www-form-urlencoded",
        },
        body=urlencode(form).encode(),
    )
    answer = await web.call(request)
    said = read_object(answer)
    sid = said.get("sid")
    if is_success(answer) and isinstance(sid, str) and _SID.fullmatch(sid):
        return {"id": sid}
    code = said.get("code")
    code = code if isinstance(code, int) else None
    objection = objection_to(answer, now=clock.now(), code=code)
    if isinstance(objection, ProviderRefused) and code in ABOUT_US:
        raise ProviderUnavailable(str(objection))
    raise objection
