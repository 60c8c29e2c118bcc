"""Whose account is used and how, read from an address whose token is never shown."""

import re
from base64 import b64encode
from typing import Final
from urllib.parse import quote, urlsplit

from attrs import field, frozen

from jobmill.application.codec.telephone import number_fault
from jobmill.application.errors import WrongAddress
from jobmill.application.provider_urls import ProviderUrl

SHAPE: Final = "twilio://SID:TOKEN@api.twilio.com?from=+15550100123"
#: What may stand behind the question mark.
TEXT_OPTIONS: Final = frozenset({"from", "base_url"})
CALL_OPTIONS: Final = TEXT_OPTIONS | {"twiml_url"}
#: A group of senders instead of a number.
_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")
_SID: Final = re.compile(r"[A-Za-z0-9]{1,64}")


@frozen(kw_only=True)
class TwilioAccount:
    """An account, and what messages of it say of their sender.

    Args:
        base_url: of the API, without a slash at its end.
        sender: a number, or for texts the id of a messaging service.
        twiml_url: where the provider asks what to say in a call; None where each call brings its words.
    """

    sid: str
    token: str = field(repr=False)
    base_url: str
    sender: str
    twiml_url: str | None = field(default=None, repr=False)

    @property
    def authorization(self) -> str:
        """The header of that name."""
        return "Basic " + b64encode(f"{self.sid}:{self.token}".encode()).decode()

    def url_of(self, resource: str) -> str:
        """Return where one of the account's resources is."""
        return f"{self.base_url}/2010-04-01/Accounts/{quote(self.sid)}/{resource}.json"


def read_account(url: ProviderUrl, *, calls: bool) -> TwilioAccount:
    """Read ``twilio://``, for calls or for texts.

    Raises:
        WrongAddress: a part is missing or cannot be used.
    """
    options = url.only(CALL_OPTIONS if calls else TEXT_OPTIONS)
    if not url.username or not _SID.fullmatch(url.username) or not url.password:
        raise WrongAddress(f"the twilio address has to hold the account's SID and token, as in {SHAPE}")
    if not url.host or url.path not in ("", "/"):
        raise WrongAddress(f"the twilio address has to hold a host and no path, as in {SHAPE}")
    sender = url.required("from", SHAPE)
    if (fault := number_fault(sender)) and (calls or not _SERVICE.fullmatch(sender)):
        raise WrongAddress(f"from= in the twilio address {fault}")
    return TwilioAccount(
        sid=url.username,
        token=url.password,
        base_url=_web_url(options.get("base_url", f"https://{url.place}"), "base_url").rstrip("/"),
        sender=sender,
        twiml_url=_web_url(options["twiml_url"], "twiml_url") if "twiml_url" in options else None,
    )


def _web_url(text: str, name: str) -> str:
    try:
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc:
            return text
    except ValueError:
        pass
    raise WrongAddress(f"{name}= in the twilio address must be a URL, as in https://example.com")
