"""Jobmill: durable background jobs. What stands here is all that is public."""

from jobmill.application.batches import Batch, BatchReport
from jobmill.application.client import Client
from jobmill.application.errors import (
    ClientClosed,
    ForeignDatabase,
    IdempotencyConflict,
    InvalidPayload,
    JobNotFound,
    LeaseLost,
    NeedsDatabase,
    QueueFull,
    SetupFault,
    StaleJob,
    TooLarge,
    TransactionFault,
    Unavailable,
    UnknownType,
    WaitTimedOut,
)
from jobmill.application.handlers import (
    BatchJob,
    HandlerFault,
    JobContext,
    JobHandlers,
    JobType,
    PermanentFailure,
    RetryAfter,
)
from jobmill.application.ports.progress import Progress
from jobmill.application.public_job import Job
from jobmill.application.submission import Options, Submission
from jobmill.application.sync_client import SyncClient
from jobmill.domain.errors import IllegalTransition, InvalidInput, JobmillError
from jobmill.domain.options import Unique
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import JobState, Priority
from jobmill.entrypoints.connecting import connect, connect_sync

__all__ = [
    "Batch",
    "BatchJob",
    "BatchReport",
    "Client",
    "ClientClosed",
    "ForeignDatabase",
    "HandlerFault",
    "IdempotencyConflict",
    "IllegalTransition",
    "InvalidInput",
    "InvalidPayload",
    "Job",
    "JobContext",
    "JobHandlers",
    "JobNotFound",
    "JobState",
    "JobType",
    "JobmillError",
    "LeaseLost",
    "NeedsDatabase",
    "Options",
    "PermanentFailure",
    "Priority",
    "Progress",
    "QueueFull",
    "RetryAfter",
    "RetryPolicy",
    "SetupFault",
    "StaleJob",
    "Submission",
    "SyncClient",
    "TooLarge",
    "TransactionFault",
    "Unavailable",
    "Unique",
    "UnknownType",
    "WaitTimedOut",
    "connect",
    "connect_sync",
]
