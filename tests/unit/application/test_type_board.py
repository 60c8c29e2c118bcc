"""The board: what a process knows of the types that others run."""

from datetime import timedelta
from typing import Any

from attrs import evolve, frozen

from jobmill.application.handlers import JobHandlers, JobType
from jobmill.application.ports.type_registry import LiveWorker, Sightings, StoredType, WorkerCard
from jobmill.application.type_board import Elsewhere, TypeBoard
from jobmill.application.type_keeper import stored_form

from tests.builders import HOUR, NOW


@frozen
class Small:
    width: int


@frozen
class Large:
    width: int
    height: int


def declared(payload: type, *, name: str = "resize", version: int = 1, upcasts: bool = False) -> JobType[Any]:
    async def run(_payload: object) -> None:
        """Do nothing."""

    run.__annotations__["_payload"] = payload
    upcasters = dict.fromkeys(range(1, version), dict) if upcasts else {}
    return JobHandlers().register(name, version=version, queue=f"q{version}", upcasters=upcasters)(run)


def stored(of: JobType[Any], *, ago: timedelta = timedelta(0)) -> StoredType:
    return evolve(stored_form(of), declared_at=NOW - ago)


def a_worker(*types: JobType[Any], name: str = "worker-1") -> LiveWorker:
    card = WorkerCard(name=name, concurrency=1, types={each.name: each.schema_hash for each in types})
    return LiveWorker(card=card, started_at=NOW, seen_at=NOW)


def a_board(*types: StoredType, workers: tuple[LiveWorker, ...] = ()) -> TypeBoard:
    board = TypeBoard()
    board.show(Sightings(types=types, workers=workers))
    return board


OLD, NEW = declared(Small), declared(Large, version=2)
NEW_THAT_UPCASTS = declared(Large, version=2, upcasts=True)
SMALL, LARGE = '{"width":1}', '{"width":1,"height":2}'


def test_of_the_versions_that_run_the_highest_is_chosen() -> None:
    board = a_board(stored(OLD), stored(NEW, ago=HOUR), workers=(a_worker(OLD), a_worker(NEW, name="2")))

    found = board.find("Resize")

    assert found is not None
    assert found.rules.payload_version == 2
    assert board.types == (found,)


def test_one_that_runs_is_chosen_before_a_higher_one_that_does_not() -> None:
    board = a_board(stored(OLD, ago=HOUR), stored(NEW), workers=(a_worker(OLD),))

    found = board.find("resize")

    assert found is not None
    assert found.rules.payload_version == 1


def test_where_none_runs_the_one_declared_last_is_chosen() -> None:
    board = a_board(stored(OLD), stored(NEW, ago=HOUR))

    found = board.find("resize")

    assert found is not None
    assert found.rules.payload_version == 1
    assert not board.is_run("resize")
    assert board.find("email") is None


def test_two_schemas_that_run_under_one_name_are_seen() -> None:
    mixed = a_board(workers=(a_worker(OLD), a_worker(NEW, name="2")))

    assert mixed.doubles == {"resize": {OLD.schema_hash, NEW.schema_hash}}
    assert a_board(workers=(a_worker(OLD), a_worker(OLD, name="2"))).doubles == {}


def reads(board: TypeBoard, text: str, *, version: int, own: JobType[Any] = OLD) -> Elsewhere:
    return board.reads_elsewhere("resize", text, version=version, own_hash=own.schema_hash)


def test_a_living_workers_schema_that_takes_the_payload_surely_reads_it() -> None:
    board = a_board(stored(NEW), workers=(a_worker(NEW),))

    assert reads(board, LARGE, version=2) is Elsewhere.SURELY
    assert reads(board, SMALL, version=2) is Elsewhere.NO
    assert reads(board, "{", version=2) is Elsewhere.NO
    assert reads(board, LARGE, version=1) is Elsewhere.NO
    assert reads(board, LARGE, version=3) is Elsewhere.NO


def test_upcasters_elsewhere_are_likely_to_read_an_older_payload() -> None:
    board = a_board(stored(NEW_THAT_UPCASTS), workers=(a_worker(NEW_THAT_UPCASTS),))

    assert reads(board, "{}", version=1) is Elsewhere.LIKELY


def test_a_worker_that_does_not_live_and_one_with_our_own_schema_read_nothing() -> None:
    assert reads(a_board(stored(NEW)), LARGE, version=2) is Elsewhere.NO
    assert reads(a_board(stored(NEW), workers=(a_worker(NEW),)), LARGE, version=2, own=NEW) is Elsewhere.NO


def test_an_older_version_is_read_from_where_the_upcasters_have_no_gap() -> None:
    async def run(_payload: dict[str, Any]) -> None:
        """Do nothing."""

    gap = JobHandlers().register("x", version=5, upcasters={1: dict, 3: dict, 4: dict})(run)

    assert gap.reads_from == 3
    assert [version for version in range(1, 7) if gap.reads(version)] == [3, 4, 5]
