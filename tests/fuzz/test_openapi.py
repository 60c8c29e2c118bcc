"""Every route as its own description says it, and against it: right, wrong and in any order."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
import schemathesis
from schemathesis import BaseSchema, Case, HookContext
from schemathesis.engine import from_schema
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished

from jobmill.entrypoints.http.openapi.operations import OPERATIONS

from tests.fuzz.conftest import Tried
from tests.fuzz.served import Served, served

pytestmark = pytest.mark.timeout(600)

AnyCase = Case[Any]

#: What may come of a request in order: beside success, that nobody has this id, or its state forbids it.
ANSWERED: Final = ["2xx", "404", "409"]
#: A schema cannot say all rules of a payload, nor that a key was used for another request.
REFUSED_BY_RULES: Final = [*ANSWERED, "400", "422"]
WITH_A_PAYLOAD: Final = [
    "POST /jobs",
    "POST /jobs/batch",
    "POST /batches",
    "POST /jobs/{id}/requeue",
    "POST /dead-letters/{id}/requeue",
]
#: These take what `POST /jobs` takes; in short runs its thousand corner cases are tried there alone.
LIKE_SUBMIT: Final = ["POST /jobs/batch", "POST /batches", "POST /dead-letters/{id}/requeue"]
BATCH: Final = "/batches/{id}"
CASES: Final = 40


def test_every_route_keeps_to_its_description_whatever_comes(
    tmp_path: Path, tried: Tried, factor: int
) -> None:
    answers: dict[str, Counter[int]] = defaultdict(Counter)
    faults: list[str] = []
    with served(tmp_path) as server:
        for in_order in (False, True):
            for event in from_schema(described(server, factor, in_order=in_order)).execute():
                faults += told_by(event)
                if isinstance(event, ScenarioFinished):
                    for name, answer in answered(event):
                        answers[name][answer] += 1

    tried(sum(each.total() for each in answers.values()))
    assert not faults, "\n\n".join(faults[:20])
    for operation in OPERATIONS:
        seen = answers[f"{operation.method.upper()} {operation.path}"]
        assert operation.good.keys() & seen.keys(), f"{operation.name} never did what it is for: {seen}"


def described(server: Served, factor: int, *, in_order: bool) -> BaseSchema:
    """The description, with the checks that make sense: there are no accounts whose rights could be tried.

    Args:
        in_order: requests that follow from each other's answers, instead of single ones about what is there.
    """
    phases = {name: {"enabled": not in_order} for name in ("examples", "coverage", "fuzzing")}
    accept = {"positive_data_acceptance": {"expected-statuses": ANSWERED}}
    lenient = {"positive_data_acceptance": {"expected-statuses": REFUSED_BY_RULES}}
    config = schemathesis.Config.from_dict(
        {
            "generation": {"max-examples": CASES * factor, "deterministic": factor == 1},
            "phases": {**phases, "stateful": {"enabled": in_order}},
            "checks": {**accept, "ignored_auth": {"enabled": False}},
            "operations": [
                {"include-name": WITH_A_PAYLOAD, "checks": lenient},
                {
                    "include-name": LIKE_SUBMIT,
                    "phases": {"coverage": {"enabled": factor > 1 and not in_order}},
                },
            ],
        }
    )
    description = schemathesis.openapi.from_url(f"{server.url}/openapi.json", config=config)
    if in_order:
        return description
    known, batch = known_ids(server), a_batch(server)

    def map_case(context: HookContext, case: AnyCase) -> AnyCase:
        """Ask for what is there, where the made-up id is well-formed."""
        if is_an_id(case.path_parameters.get("id")):
            case.path_parameters["id"] = batch if case.operation.path == BATCH else next(known)
        return case

    description.hook(map_case)
    return description


def a_batch(server: Served) -> str:
    """Submit a batch and return its id: of few jobs it is one."""
    job = {"type": "anything", "payload": {}}
    answer = httpx.post(f"{server.url}/api/batches", json={"jobs": [job], "callback": job}, timeout=30)
    return str(answer.raise_for_status().json()["id"])


def known_ids(server: Served) -> Iterator[str]:
    """Every other one is a dead letter: of few requests whose bodies are right too, some meet one."""
    for each, dead in zip(iter_forever(server.ids), iter_forever(server.dead), strict=False):
        yield each
        yield dead


def iter_forever(ids: tuple[str, ...]) -> Iterator[str]:
    """The ids, spread: neighbours are in one state; the step has no divisor in common with their number."""
    at = 0
    while True:
        at = (at + 61) % len(ids)
        yield ids[at]


def is_an_id(given: object) -> bool:
    try:
        return str(UUID(str(given))) == given
    except ValueError:
        return False


def told_by(event: EngineEvent) -> Iterator[str]:
    """What is wrong, with the request that shows it."""
    if isinstance(event, FatalError):
        yield repr(event.exception)
    elif isinstance(event, NonFatalError):
        yield str(event.info)
    elif isinstance(event, ScenarioFinished):
        for results in event.recorder.checks.values():
            for result in results:
                if result.failure_info is not None:
                    failure, example = result.failure_info.failure, result.failure_info.code_sample
                    yield f"{result.name}: {failure.title}: {failure.message}\n{example}"


def answered(event: ScenarioFinished) -> Iterator[tuple[str, int]]:
    for key, case in event.recorder.cases.items():
        interaction = event.recorder.interactions.get(key)
        if interaction is not None and interaction.response is not None:
            yield case.value.operation.label, interaction.response.status_code
