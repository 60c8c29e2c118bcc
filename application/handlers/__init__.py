"""The user's half: functions that run jobs, how they are declared, and what they are given."""

from jobmill.application.handlers.batch_job import BatchJob
from jobmill.application.handlers.context import JobContext
from jobmill.application.handlers.declaring import JobHandlers
from jobmill.application.handlers.gathering import Gathering
from jobmill.application.handlers.job_type import HandlerFault, HandlerKind, JobType
from jobmill.application.handlers.raising import PermanentFailure, RetryAfter, TransientFailure
from jobmill.application.handlers.registry import Registry

__all__ = [
    "BatchJob",
    "Gathering",
    "HandlerFault",
    "HandlerKind",
    "JobContext",
    "JobHandlers",
    "JobType",
    "PermanentFailure",
    "Registry",
    "RetryAfter",
    "TransientFailure",
]
