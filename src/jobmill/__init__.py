"""Jobmill: durable background jobs. What stands here is all that is public."""

from jobmill.application.errors import LeaseLost, TransactionFault, Unavailable
from jobmill.application.handlers import JobContext, JobHandlers, JobType, PermanentFailure, RetryAfter
from jobmill.domain.errors import JobmillError
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import Priority

__all__ = [
    "JobContext",
    "JobHandlers",
    "JobType",
    "JobmillError",
    "LeaseLost",
    "PermanentFailure",
    "Priority",
    "RetryAfter",
    "RetryPolicy",
    "TransactionFault",
    "Unavailable",
]
