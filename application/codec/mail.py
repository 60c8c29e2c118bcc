"""Mails as they travel: what an address is, and the message as bytes."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from jobmill.application.ports.providers import Mail

ADDRESS_CHARS_MAX: Final = 254
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: The rule by which browsers check an e-mail field. It has no quoted names and no comments, so nothing in
#: an address can end it early, neither in a header nor on a line of SMTP.
_ADDRESS: Final = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
#: The library would write 8-bit text where it can, which not every server on the way takes.
_POLICY: Final = SMTP.clone(cte_type="7bit")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def address_fault(address: str) -> str | None:
    """Say what is wrong with one bare address; None if it can be used."""
    if len(address) > ADDRESS_CHARS_MAX:
        return f"must have at most {ADDRESS_CHARS_MAX} characters, not {len(address)}"
    if _CONTROL.search(address):
        return "must not hold line breaks or other control characters"
    if address.count("@") != 1:
        return "must be one address with one @, as in ada@example.com"
    if not address.isascii():
        return "must be ASCII: write an international domain in its xn-- form"
    if not _ADDRESS.fullmatch(address):
        return "must be a bare address without spaces, names or brackets, as in ada@example.com"
    return None


def is_one_line(text: str) -> bool:
    """A header can hold the text: no line breaks of any alphabet, no other control characters."""
    return _CONTROL.search(text) is None


def message_id(mail: Mail, *, sender: str) -> str:
    """Return the id of the message, the same over all attempts, so that a receiver can drop a second copy."""
    return f"<{mail.key.replace(':', '.')}@{sender.partition('@')[2]}>"


def write_mail(mail: Mail, *, sender: str, at: datetime) -> bytes:
    """Return the message with all its headers, lines ended by CRLF, ASCII only.

    Args:
        at: when it is sent, with a time zone.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(mail, sender=sender)
    message.set_content(mail.body)
    return message.as_bytes()
