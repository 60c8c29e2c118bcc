"""Mail: what a real provider would do is a line in the log, but for a provider that cannot be reached."""

import logging

#: Of a domain whose mail server never answers: how to see an event fail.
UNREACHABLE = "@unreachable.example"


class MailServerDown(Exception):
    """Nobody answers there; perhaps later."""


def send_email(to: str, subject: str, log: "logging.LoggerAdapter[logging.Logger]") -> None:
    if to.endswith(UNREACHABLE):
        raise MailServerDown(f"no mail server answers for {to}")
    log.info("Email sent to %s: %s", to, subject)
