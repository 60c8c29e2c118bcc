"""Mail for those who have no mail server: files in a folder."""

from jobmill.adapters.mail_outbox.mail_outbox import MailOutbox

__all__ = ["MailOutbox"]
