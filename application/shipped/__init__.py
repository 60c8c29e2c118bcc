"""The job types that come with Jobmill. Each is a collection of handlers over the ports it needs."""

from jobmill.application.shipped.emails import email_handlers
from jobmill.application.shipped.simulations import simulate_handlers
from jobmill.application.shipped.webhooks import webhook_handlers

__all__ = ["email_handlers", "simulate_handlers", "webhook_handlers"]
