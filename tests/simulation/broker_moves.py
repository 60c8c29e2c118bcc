"""What happens in the broker and on the way to it: things doubled, delayed, lost, cut, refused, forged."""

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Final

from attrs import evolve

from jobmill.adapters.memory.message import Message
from jobmill.application.ports.message_bus import Lane, Parcel, PublishOutcome
from jobmill.domain.states import Priority

from tests.simulation.process import Process
from tests.simulation.registry import fault
from tests.simulation.stage import Stage

#: What a publisher is told, and whether the broker took the parcel.
ANSWERS: Final = ("true", "unknown, not taken", "unknown, taken", "refused")
COPIES_MAX: Final = 120
GARBAGE: Final = (b"", b"\x00\xff", b"[]", b'{"v":1}', b'{"v":99,"jobs":[]}', b'{"v":1,"jobs":[{"id":7}]}')


@fault(lambda _dice: {})
def everything_doubled(stage: Stage) -> None:
    """Every message comes twice."""
    if stage.ready < COPIES_MAX:
        stage.witness.fault("everything doubled", stage.ready, "ready")
        stage.witness.faults += stage.line.most_copies()
        stage.line.double_everything()


@fault(lambda _dice: {})
def everything_again(stage: Stage) -> None:
    """What is unanswered is delivered again."""
    stage.witness.fault("everything delivered again", stage.unanswered, "unanswered")
    stage.witness.faults += stage.line.most_copies()
    stage.line.redeliver(stage.line.held)


@fault(lambda dice: {"chance": dice.randint(0, 10**6)})
def shuffled(stage: Stage, chance: int) -> None:
    """The order of every lane is changed."""
    stage.witness.fault("lanes shuffled")
    for line in stage.line._lines.values():
        messages = list(line.ready)
        Random(chance).shuffle(messages)
        line.ready.clear()
        line.ready.extend(messages)


@fault(lambda dice: {"for_s": dice.choice((2.0, 20.0, 60.0))})
def held_up(stage: Stage, for_s: float) -> None:
    """What is ready arrives only later."""
    late = [line.ready.popleft() for line in stage.line._lines.values() for _ in range(len(line.ready))]
    stage.witness.fault("messages held up", len(late), f"for {for_s} s")
    stage.line.late += late

    def arrive() -> None:
        for message in late:
            if message in stage.line.late:
                stage.line.late.remove(message)
                stage.line._arrive(message)

    asyncio.get_running_loop().call_later(for_s, arrive)


@fault(lambda dice: {"which": dice.randint(0, 10**6)})
def ghost(stage: Stage, which: int) -> None:
    """A message of long ago comes once more."""
    if stage.line.bodies:
        stage.witness.fault("ghost")
        stage.line._arrive(evolve(stage.line.bodies[which % len(stage.line.bodies)]))


@fault(lambda dice: {"which": dice.randint(0, len(GARBAGE) - 1)})
def garbage(stage: Stage, which: int) -> None:
    """Somebody else's message comes."""
    stage.witness.fault("garbage")
    lane = Lane(queue="default", priority=Priority.NORMAL)
    stage.line._arrive(Message(lane=lane, body=GARBAGE[which], content_type="text/plain", headers={}))


@fault(lambda _dice: {})
def one_lost(stage: Stage) -> None:
    """A living broker loses the next message of every lane."""
    for lane, line in stage.line._lines.items():
        if line.ready:
            stage.witness.fault("message lost", lane)
            _loses(stage, [line.ready[0]])
            stage.line.drop(lane)


@fault(lambda _dice: {})
def wiped(stage: Stage) -> None:
    """The broker comes back empty: connections break, and then nothing is there."""
    stage.witness.fault("broker wiped")
    _loses(stage, list(stage.line.messages))
    stage.broker_loses_everything()


def _loses(stage: Stage, messages: list[Message]) -> None:
    """Note what is lost: the acknowledgement of its copy is no breach."""
    for message in messages:
        stage.witness.lost.update(stage.line.fences_in(message.body))


@fault(lambda dice: {"for_s": dice.choice((0.5, 7.0, 35.0))})
def queue_deleted(stage: Stage, for_s: float) -> None:
    """Somebody deletes a queue; it is declared again later, and then the marker is gone as well."""
    stage.witness.fault("queue deleted", f"for {for_s} s")
    _loses(stage, [m for m in stage.line.messages if m.lane.queue == "default"])
    stage.line.drop_queue("default")

    def again() -> None:
        stage.line.add_queue("default")
        stage.line.epoch = None

    asyncio.get_running_loop().call_later(for_s, again)


@fault(lambda dice: {"who": dice.choice((-1, 0, 1, 2)), "for_s": dice.choice((0.2, 3.0, 20.0, 45.0))})
def broker_line(stage: Stage, who: int, for_s: float) -> None:
    """One process loses its connection to the broker for a while."""
    _cut(stage, stage.one(who), for_s)


@fault(lambda dice: {"for_s": dice.choice((0.5, 12.0, 40.0))})
def broker_outage(stage: Stage, for_s: float) -> None:
    """All of them do."""
    for process in (stage.api, *stage.workers):
        _cut(stage, process, for_s)


def _cut(stage: Stage, process: Process, for_s: float) -> None:
    stage.witness.fault("line to the broker cut", f"for {for_s} s", who=process.name)
    stage.witness.faults += stage.line.most_copies()
    process.bus.disconnect()

    def end() -> None:
        if process.is_alive:
            process.bus.reconnect()

    asyncio.get_running_loop().call_later(for_s, end)


def _answers(dice: Random) -> dict[str, Any]:
    return {
        "who": dice.choice((-1, 0, 1, 2)),
        "answers": tuple(dice.choice(ANSWERS) for _ in range(dice.choice((1, 3, 6)))),
    }


@fault(_answers)
def publishing(stage: Stage, who: int, answers: tuple[str, ...]) -> None:
    """What a process publishes next is answered so."""
    process = stage.one(who)
    process.bus.faults = _plagued(stage, process, deque(answers))


def _plagued(
    stage: Stage, process: Process, left: "deque[str]"
) -> Callable[[str, Parcel], PublishOutcome | None]:
    def trouble(moment: str, _parcel: Parcel) -> PublishOutcome | None:
        if not left or (left[0] == "unknown, taken" and moment == "before"):
            return None
        answer = left.popleft()
        if answer == "true":
            return None
        stage.witness.fault(f"publish {answer}", who=process.name)
        return PublishOutcome.REFUSED if answer == "refused" else PublishOutcome.UNKNOWN

    return trouble
