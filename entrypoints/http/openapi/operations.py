"""What can be asked, and with what it is answered: one row for each method of each path."""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from jobmill.entrypoints.http.openapi.fields import (
    DEAD_LETTER_FILTERS,
    ID,
    IDEMPOTENCY_KEY,
    JOB_FILTERS,
    WAIT_FOR_END,
    Schema,
)

#: Where the body of an answer or a request is a list, its schema's name ends so.
LIST: Final = "[]"

EVERYWHERE: Final = ("misdirected-request", "internal-error")
#: Of every method that changes something.
CHANGING: Final = ("foreign-origin",)
_STORE: Final = ("storage-unavailable", "setup-fault")
_WRITES: Final = (*_STORE, "storage-unknown", "unavailable")
_QUERY: Final = ("invalid-input",)
_BODY: Final = ("malformed-json", "invalid-input", "too-large", "unsupported-media-type", "bad-request")
_SUBMIT: Final = (*_BODY, "invalid-payload", "unknown-type", "idempotency-conflict", "queue-full", *_WRITES)
_MOVE: Final = ("invalid-input", "job-not-found", "illegal-transition", "stale-job", *_WRITES)


@frozen(kw_only=True)
class Good:
    """A good answer: what it means, the name of its schema, "" for plain text, and the headers it carries."""

    means: str
    schema: str
    headers: tuple[str, ...] = ()


@frozen(kw_only=True)
class Operation:
    """One method of one path.

    Args:
        body: the names of the schemas of which the body fits one; none without a body.
        refusals: the codes of the problems it may answer with, beside ``EVERYWHERE``.
    """

    method: str
    path: str
    name: str
    summary: str
    group: str
    good: Mapping[int, Good]
    parameters: tuple[Schema, ...] = ()
    body: tuple[str, ...] = ()
    is_body_required: bool = True
    refusals: tuple[str, ...] = ()


_JOBS, _BATCHES, _DEAD, _HEALTH = "Jobs", "Batches", "Dead letters", "Health"
_JOB: Final = Good(means="The job as it stands now.", schema="Job")
_NEW: Final = Good(means="The job is stored.", schema="Job", headers=("Location",))
_KNOWN: Final = Good(
    means="The same request was answered before: this is its job.",
    schema="Job",
    headers=("Location", "Idempotency-Replayed"),
)

OPERATIONS: Final = (
    Operation(
        method="post",
        path="/jobs",
        name="submitJob",
        summary="Submit a job",
        group=_JOBS,
        parameters=(IDEMPOTENCY_KEY,),
        body=("Submit",),
        good={201: _NEW, 200: _KNOWN},
        refusals=_SUBMIT,
    ),
    Operation(
        method="post",
        path="/jobs/batch",
        name="submitBatch",
        summary="Submit up to 1,000 jobs, all or none",
        group=_JOBS,
        body=("SubmitBatch",),
        good={
            201: Good(means="All are stored.", schema="Batch"),
            200: Good(
                means="All were made by earlier requests.", schema="Batch", headers=("Idempotency-Replayed",)
            ),
        },
        refusals=_SUBMIT,
    ),
    Operation(
        method="post",
        path="/batches",
        name="submitBatchWithCallback",
        summary="Submit up to 1,000 jobs and one that runs when all of them have ended, all or none",
        group=_BATCHES,
        body=("SubmitBatchWithCallback",),
        good={
            201: Good(means="All are stored.", schema="NewBatch", headers=("Location",)),
            200: Good(
                means="All were made by an earlier request.",
                schema="NewBatch",
                headers=("Location", "Idempotency-Replayed"),
            ),
        },
        refusals=_SUBMIT,
    ),
    Operation(
        method="get",
        path="/batches/{id}",
        name="getBatch",
        summary="See how the jobs of a batch stand",
        group=_BATCHES,
        parameters=(ID,),
        good={200: Good(means="Their numbers.", schema="BatchReport")},
        refusals=(*_QUERY, "job-not-found", *_STORE),
    ),
    Operation(
        method="get",
        path="/jobs",
        name="listJobs",
        summary="List jobs, newest first",
        group=_JOBS,
        parameters=JOB_FILTERS,
        good={200: Good(means="One page of jobs.", schema="Job" + LIST, headers=("Link",))},
        refusals=(*_QUERY, *_STORE),
    ),
    Operation(
        method="get",
        path="/jobs/{id}",
        name="getJob",
        summary="Look at a job and its history, or wait for its end",
        group=_JOBS,
        parameters=(ID, WAIT_FOR_END),
        good={200: Good(means="The job.", schema="JobWithHistory")},
        refusals=(*_QUERY, "job-not-found", *_STORE),
    ),
    Operation(
        method="post",
        path="/jobs/{id}/cancel",
        name="cancelJob",
        summary="Cancel a waiting job, or ask a running one to stop",
        group=_JOBS,
        parameters=(ID,),
        good={200: _JOB, 202: Good(means="It runs and was asked to stop.", schema="Job")},
        refusals=_MOVE,
    ),
    Operation(
        method="post",
        path="/jobs/{id}/requeue",
        name="requeueJob",
        summary="Start a dead or cancelled job over, with another payload if you like",
        group=_JOBS,
        parameters=(ID,),
        body=("Requeue",),
        is_body_required=False,
        good={200: _JOB},
        refusals=(*_MOVE, *_BODY, "invalid-payload", "unknown-type"),
    ),
    Operation(
        method="post",
        path="/jobs/{id}/discard",
        name="discardJob",
        summary="Put a dead job away for good",
        group=_JOBS,
        parameters=(ID,),
        good={200: _JOB},
        refusals=_MOVE,
    ),
    Operation(
        method="get",
        path="/dead-letters",
        name="listDeadLetters",
        summary="List failed and expired jobs and quarantined messages, newest first",
        group=_DEAD,
        parameters=DEAD_LETTER_FILTERS,
        good={200: Good(means="One page of letters.", schema="DeadLetter" + LIST, headers=("Link",))},
        refusals=(*_QUERY, *_STORE),
    ),
    Operation(
        method="get",
        path="/dead-letters/{id}",
        name="getDeadLetter",
        summary="Look at a dead letter and all that is known of it",
        group=_DEAD,
        parameters=(ID,),
        good={200: Good(means="The letter.", schema="WholeDeadLetter")},
        refusals=(*_QUERY, "job-not-found", *_STORE),
    ),
    Operation(
        method="post",
        path="/dead-letters/{id}/requeue",
        name="requeueDeadLetter",
        summary="Start a dead job over, or make a job of a quarantined message",
        group=_DEAD,
        parameters=(ID,),
        body=("Requeue", "Mend"),
        is_body_required=False,
        good={200: _JOB, 201: _NEW},
        refusals=(*_MOVE, *_SUBMIT),
    ),
    Operation(
        method="post",
        path="/dead-letters/{id}/discard",
        name="discardDeadLetter",
        summary="Put a dead job away, or throw a quarantined message away",
        group=_DEAD,
        parameters=(ID,),
        good={200: Good(means="The job as it stands now, or the message as it was.", schema="Discarded")},
        refusals=_MOVE,
    ),
    Operation(
        method="get",
        path="/types",
        name="listTypes",
        summary="List the types of jobs and the schemas of their payloads",
        group="Types",
        good={200: Good(means="The types by name.", schema="JobType" + LIST)},
        refusals=_QUERY,
    ),
    Operation(
        method="get",
        path="/providers",
        name="listProviders",
        summary="List the providers that workers call, and whether they are taken to be well",
        group="Providers",
        good={200: Good(means="The providers by name.", schema="Provider" + LIST)},
        refusals=(*_QUERY, *_STORE),
    ),
    Operation(
        method="get",
        path="/health/live",
        name="live",
        summary="Does the process answer?",
        group=_HEALTH,
        good={200: Good(means="It does.", schema="Live")},
    ),
    Operation(
        method="get",
        path="/health/ready",
        name="ready",
        summary="Can it work?",
        group=_HEALTH,
        good={200: Good(means="It can; degraded without the broker.", schema="Ready")},
        refusals=("not-ready", *_STORE),
    ),
    Operation(
        method="get",
        path="/metrics",
        name="metrics",
        summary="What Prometheus reads",
        group=_HEALTH,
        good={200: Good(means="The metrics of this process, also without its store.", schema="")},
    ),
)
