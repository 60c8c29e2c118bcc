"""Mail through an SMTP server, over a few connections that are used again."""

from jobmill.adapters.smtp.bounds import SmtpBounds
from jobmill.adapters.smtp.mailer import SmtpMailer, open_smtp
from jobmill.adapters.smtp.server import SmtpServer, parse_smtp_url

__all__ = ["SmtpBounds", "SmtpMailer", "SmtpServer", "open_smtp", "parse_smtp_url"]
