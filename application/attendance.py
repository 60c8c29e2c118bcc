"""Being seen by the others, and seeing which of them are dead."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from jobmill.application.errors import PresenceLost, SetupFault, Unavailable
from jobmill.application.ports.clock import Entropy
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.presence import Presence, PresenceSession
from jobmill.domain.presence import Incarnation, PresencePolicy, Roll, key_of

#: How long an answer may take until the connection is given up.
ANSWER_WITHIN_S: Final = 5.0
_REGAIN_EVERY_S: Final = 0.1
#: Locks that are looked for at once; each is one for the time of a look.
SUSPECTS_MAX: Final = 1_000
_RETRY_FIRST_S: Final = 1.0
_RETRY_MAX_S: Final = 30.0
_KEY_MASK: Final = 0xFFFFFFFF


@frozen(kw_only=True)
class _Standing:
    """What others can know of this process; replaced as a whole, for readers in other threads.

    Args:
        incarnation: None without a lock.
        until_s: when belief in the lock ends, by the monotonic clock in seconds.
        roll: what the present session saw; None without one.
        trouble: why there is no lock, for a person; None with one, and before the first try.
    """

    incarnation: Incarnation | None = None
    until_s: float = -math.inf
    roll: Roll | None = None
    trouble: str | None = None


class Attendance:
    """Holds this process's lock, as often as it has to be taken anew, and watches those of the others.

    It may run in a thread of its own, so that a handler that blocks the loop does not make its process look
    dead to itself. All questions are answered from any thread, by what was seen last.

    Without a lock the process goes by a name that proves none, and its runs are judged by their leases alone.

    Args:
        presence: None where the store has no such locks.
        process: a name that no other process has, nor an earlier one.
        is_alone: no other process can run jobs of this store, as a process lock proves, so that whatever goes
            by another name is dead.
    """

    def __init__(
        self,
        *,
        presence: Presence | None,
        entropy: Entropy,
        observer: Observer,
        process: str,
        is_alone: bool = False,
        policy: PresencePolicy = PresencePolicy(),  # noqa: B008 - a frozen value
    ) -> None:
        self._presence = presence
        self._entropy = entropy
        self._observer = observer
        self._process = process
        self._policy = policy
        self._standing = _Standing()
        self._listeners: tuple[Callable[[], object], ...] = ()
        self._suspects: frozenset[int] = frozenset()  # replaced as a whole, like the standing
        self.is_alone = is_alone

    @property
    def name(self) -> str:
        """The name under which to claim and to lead at this moment."""
        standing = self._standing
        if standing.incarnation is None or standing.until_s <= asyncio.get_running_loop().time():
            return self._process
        return standing.incarnation.name

    @property
    def is_settled(self) -> bool:
        """It is known whether there is a lock."""
        standing = self._standing
        return self._presence is None or standing.incarnation is not None or standing.trouble is not None

    @property
    def is_asked_for(self) -> bool:
        """This process wants a lock, and knows by now whether it has one."""
        return self._presence is not None and self.is_settled

    @property
    def trouble(self) -> str | None:
        """Why only leases tell whether this process lives; None if the lock does, or none was asked for."""
        return self._standing.trouble

    def believed_until(self, worker: str) -> float:
        """Return when belief in what was claimed under this name ends, by the monotonic clock.

        Never for a name without a lock, whose runs are judged by their leases; long ago for a lock given up.
        """
        standing = self._standing
        if standing.incarnation is not None and standing.incarnation.name == worker:
            return standing.until_s
        return math.inf if key_of(worker) is None else -math.inf

    def is_gone(self, worker: str) -> bool:
        """Say whether the process of this name, which has done something under it, is surely dead.

        A lock that no look has seen yet is looked for from now on: it may be younger than the last look.
        """
        if self.is_alone:
            return worker != self.name
        key, roll = key_of(worker), self._standing.roll
        if key is None:
            return False
        if roll is None or not roll.is_known(key):
            self._suspects = frozenset(
                {key, *self._suspects} if len(self._suspects) < SUSPECTS_MAX else {key}
            )
            return False
        self._suspects -= {key}
        return roll.is_gone(key, self._policy)

    def listen(self, news: Callable[[], object]) -> None:
        """Call ``news`` whenever a process was found dead, or it became known whether there is a lock.

        It is called in the thread that ``run`` runs in.
        """
        self._listeners = (*self._listeners, news)

    async def run(self) -> None:
        """Hold a lock and watch the others until cancelled."""
        if self._presence is None:
            return
        wait_s = _RETRY_FIRST_S
        while True:
            began_s, reason = _now(), "the connection ended"
            try:
                await self._attend(self._presence)
            except PresenceLost as error:
                self._part(str(error))
                return  # taking another would leave one more lock behind with a server process of the proxy
            except (Unavailable, SetupFault, TimeoutError) as error:
                reason = str(error) or "the database does not answer"
            self._standing = evolve(self._standing, roll=None)
            if self._may_regain():
                await asyncio.sleep(_REGAIN_EVERY_S)
                continue
            self._part(reason)
            wait_s = _RETRY_FIRST_S if _now() - began_s > _RETRY_MAX_S else min(2 * wait_s, _RETRY_MAX_S)
            await asyncio.sleep(wait_s * (0.5 + self._entropy.fraction() / 2))

    async def _attend(self, presence: Presence) -> None:
        """Attend over one session, until it fails."""
        regained = self._standing.incarnation if self._may_regain() else None
        incarnation = regained or Incarnation(process=self._process, key=self._entropy.stamp() & _KEY_MASK)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            session = await presence.open()
        try:
            await self._take(session, incarnation, is_regained=regained is not None)
            while True:
                await asyncio.sleep(self._policy.look_every.total_seconds())
                await self._look(session, incarnation)
        finally:
            await session.close()

    async def _take(self, session: PresenceSession, incarnation: Incarnation, *, is_regained: bool) -> None:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            if not await session.hold(incarnation.key):
                raise Unavailable(f"the presence lock {incarnation.name} is with another connection")
        until_s = self._standing.until_s
        await self._look(session, incarnation, taken_by_s=until_s if is_regained else math.inf)

    async def _look(
        self, session: PresenceSession, incarnation: Incarnation, *, taken_by_s: float = math.inf
    ) -> None:
        """See who is there, this process included.

        Args:
            taken_by_s: when the lock must be seen again at the latest; after that somebody may have found it
                free twice.
        """
        suspects, asked_s = self._suspects, _now()  # in this order: what is asked for now is too late
        async with asyncio.timeout(ANSWER_WITHIN_S):
            held = await session.look()
        answered_s = _now()
        if answered_s >= taken_by_s:
            raise Unavailable("the presence lock came back too late")
        before = self._standing
        if before.roll is None:
            roll = Roll.first(held, asked_s=asked_s, answered_s=answered_s, suspects=suspects)
        else:
            roll = before.roll.then(held, asked_s=asked_s, answered_s=answered_s, suspects=suspects)
        until_s = self._policy.belief_ends(asked_s)
        self._standing = _Standing(incarnation=incarnation, until_s=until_s, roll=roll)
        if before.trouble is not None:
            self._observer.noted("presence lock held again", name=incarnation.name)
        if before.incarnation != incarnation or roll.newly_gone(self._policy):
            self._tell()

    def _may_regain(self) -> bool:
        return self._standing.incarnation is not None and _now() < self._standing.until_s

    def _part(self, reason: str) -> None:
        """Give the lock up for good, and say so once."""
        before = self._standing
        self._standing = _Standing(trouble=reason)
        if before.trouble is None:
            self._observer.noted("no presence lock: leases alone tell that this process lives", reason=reason)
            self._tell()

    def _tell(self) -> None:
        for news in self._listeners:
            news()


def _now() -> float:
    return asyncio.get_running_loop().time()
