"""Jobs of lines: known again by line, number and name, refused with places in the line."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobmill.application.codec.submit_request import read_submit
from jobmill.application.errors import TooLarge, UnknownType
from jobmill.application.handlers import Registry
from jobmill.application.line_drafter import LINE_HOLD, LineDrafter
from jobmill.application.lines import LINE_BYTES_MAX, Line
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.submitter import Submitter
from jobmill.domain.errors import InvalidInput

from tests.nodes import Node
from tests.unit.application.mailing import handlers
from tests.world import World

MAIL = b'{"to":"ada"}'


@pytest.fixture
async def submitter(world: World) -> Submitter:
    node: Node = world.node(starts=False)
    return Submitter(
        commits=node.commits,
        registry=Registry([handlers]),
        clock=node.clock,
        entropy=node.entropy,
        backlog=node.submitter.backlog,
    )


async def drafter_of(
    submitter: Submitter, *, kind: str = "mail", name: str = "", **wishes: object
) -> LineDrafter:
    return await LineDrafter.on(submitter, read_submit({"type": kind, "payload": {}, **wishes}), name=name)


@pytest.fixture
async def drafter(submitter: Submitter) -> LineDrafter:
    return await drafter_of(submitter)


def key_of(new: NewJob) -> tuple[str, str]:
    [claim] = new.keys
    return claim.scope, claim.key


async def test_a_line_is_the_payload_of_a_job(drafter: LineDrafter) -> None:
    new = drafter.draft(Line(1, b' {"to": "ada"}'))

    assert (new.job.type, new.job.payload) == ("mail", '{"to":"ada"}')
    assert [(claim.fingerprint, claim.hold) for claim in new.keys] == [("", LINE_HOLD)]
    assert timedelta(days=7) == LINE_HOLD


async def test_the_same_line_is_known_again_whatever_else_is_asked(submitter: Submitter) -> None:
    first = await drafter_of(submitter)
    again = await drafter_of(submitter, kind="MAIL", priority="low", tags=["x"])

    assert key_of(first.draft(Line(3, MAIL))) == key_of(again.draft(Line(3, MAIL)))


async def test_number_line_and_name_each_make_another_key(submitter: Submitter) -> None:
    plain, named = await drafter_of(submitter), await drafter_of(submitter, name="monday")

    keys = {
        key_of(made)
        for made in (
            plain.draft(Line(1, MAIL)),
            plain.draft(Line(2, MAIL)),
            plain.draft(Line(1, b'{"to":"bob"}')),
            named.draft(Line(1, MAIL)),
        )
    }

    assert len(keys) == 4


async def test_a_name_and_a_line_cannot_be_taken_for_another_name_and_line(submitter: Submitter) -> None:
    short, long = await drafter_of(submitter, name="a"), await drafter_of(submitter, name="ab")

    assert short._key(1, b"bc") != long._key(1, b"c")


async def test_options_hold_for_every_line(submitter: Submitter) -> None:
    drafter = await drafter_of(submitter, priority="low", tags=["x"], delay_s=5)

    job = drafter.draft(Line(1, MAIL)).job

    assert (job.priority.value, job.tags, job.state.value) == ("low", ("x",), "scheduled")


async def test_a_line_may_follow_a_stored_job(submitter: Submitter) -> None:
    [first] = await submitter.submit([read_submit({"type": "mail", "payload": {"to": "ada"}})])
    drafter = await drafter_of(submitter, follows=str(first.job.id))

    assert drafter.draft(Line(1, MAIL)).job.follows == first.job.id


@pytest.mark.parametrize(
    ("wishes", "place"),
    [
        ({"kind": "mial"}, "/type"),
        ({"queue": "nowhere"}, "/queue"),
        ({"max_attempts": 0}, "/max_attempts"),
        ({"priority": "urgent"}, "/priority"),
        ({"follows": "01a222ea-5187-74cb-b23b-1208099f6ee3"}, "/follows"),
    ],
)
async def test_what_would_refuse_every_line_is_refused_before_the_first(
    submitter: Submitter, wishes: dict[str, str], place: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await drafter_of(submitter, **wishes)

    assert [fault.pointer for fault in refused.value.faults] == [place]


async def test_an_unknown_type_is_told_with_the_nearest(submitter: Submitter) -> None:
    with pytest.raises(UnknownType, match=r"unknown type 'mial' \(did you mean 'mail'\?\); known types: "):
        await drafter_of(submitter, kind="mial")


@pytest.mark.parametrize(
    ("raw", "faults"),
    [
        (b"{", [("", "is not JSON at line 1, column 2: ")]),
        (b"\xff", [("", "is not UTF-8 at byte 0")]),
        (b"3", [("", "must be an object")]),
        (b"{}", [("/to", "is required")]),
        (b'{"to":3,"x/y":1}', [("/to", "must be a text"), ("/x~1y", "unknown field")]),
        (b'{"to":"a","to":"b"}', [("", "an object names 'to' twice")]),
        (b'{"to":"\\u0000"}', [("/to", "holds a control character")]),
    ],
)
async def test_all_that_is_wrong_with_a_line_is_told_with_its_place(
    drafter: LineDrafter, raw: bytes, faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        drafter.draft(Line(1, raw))

    told = refused.value.errors
    assert [place for place, _ in told] == [place for place, _ in faults]
    assert all(detail.startswith(begin) for (_, detail), (_, begin) in zip(told, faults, strict=True))


async def test_a_payload_that_is_too_large_is_told_like_any_other_fault(drafter: LineDrafter) -> None:
    with pytest.raises(TooLarge, match="10,240 are allowed"):
        drafter.draft(Line(1, b'{"to":"%s"}' % (b"x" * 10_300)))
    with pytest.raises(TooLarge, match="more than 131,072 bytes"):
        drafter.draft(Line(1, b"x" * (LINE_BYTES_MAX + 1)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet='{}[]":,\\u0d8to1-e. ', max_size=40).map(str.encode),
    )
)
async def test_whatever_stands_in_a_line_it_is_a_job_or_refused(drafter: LineDrafter, raw: bytes) -> None:
    try:
        told = [drafter.draft(Line(1, raw)).job.payload]
    except InvalidInput as error:
        told = [fault.detail for fault in error.faults]

    assert told
    assert all(told)
