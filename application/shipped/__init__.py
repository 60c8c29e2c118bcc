"""The job types that come with Jobmill. Each is a collection of handlers over the ports it needs."""

from jobmill.application.shipped.calls import call_handlers
from jobmill.application.shipped.emails import email_handlers
from jobmill.application.shipped.pushes import push_handlers
from jobmill.application.shipped.simulations import simulate_handlers
from jobmill.application.shipped.texts import sms_handlers
from jobmill.application.shipped.webhooks import webhook_handlers

__all__ = [
    "call_handlers",
    "email_handlers",
    "push_handlers",
    "simulate_handlers",
    "sms_handlers",
    "webhook_handlers",
]
