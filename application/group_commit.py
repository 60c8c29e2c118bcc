"""Natural group commit: whatever arrived while the last statement ran goes into the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from attrs import define, frozen

from jobmill.application.errors import StorageRefused, StorageUnavailable, StorageUnknown, Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_BACKOFF_FIRST_S = 0.05
_BACKOFF_MAX_S = 2.0
_TASKS_MAX = 2


@frozen(kw_only=True)
class GroupLimits:
    """Bounds of one group.

    Args:
        batch: items in one statement.
        waiting: items that may wait; beyond, callers are refused at once.
        side_by_side: where at least so many callers can have each of two statements, two run side by side; 0
            for one at a time. Callers that come back as soon as they are answered would else all share one
            statement, and while it runs this process has nothing to do.
    """

    batch: int = 1_000
    waiting: int = 50_000
    side_by_side: int = 0


@define(eq=False)
class _Entry(Generic[Item, Answer]):
    """What one caller handed in; it is answered as a whole."""

    items: Sequence[Item]
    deadline: float
    future: "asyncio.Future[Sequence[Answer]]"
    was_sent: bool = False
    keys: Collection[Hashable] = ()


class GroupCommit(Generic[Item, Answer]):
    """Groups the calls of many tasks into batches, one statement at a time, or two where many wait.

    With nobody waiting a call goes out at once; under load nothing is done singly. The flush belongs to the
    group: a caller that is cancelled leaves its items in the batch. A lost connection is answered by the same
    statement again, until the caller's deadline.

    Args:
        flush: carries out a batch and answers by position. May raise ``StorageUnavailable``,
            ``StorageUnknown`` and ``StorageRefused``, as a ``JobRepository`` does.
        keys: what of some items may not be at the statements twice; what has a key of another's waits for the
            next.
        fraction: chance for the waits between two tries.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Sequence[Item]]], Awaitable[Sequence[Sequence[Answer]]]],
        *,
        keys: Callable[[Sequence[Item]], Collection[Hashable]],
        fraction: Callable[[], float],
        limits: GroupLimits = GroupLimits(),
    ) -> None:
        self._flush = flush
        self._keys = keys
        self._fraction = fraction
        self._limits = limits
        self._entries: deque[_Entry[Item, Answer]] = deque()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0  # statements
        self._busy: set[Hashable] = set()  # their keys

    def submit(self, items: Sequence[Item], *, within_s: float) -> "asyncio.Future[Sequence[Answer]]":
        """Hand in items and return what their answers are awaited by, by position.

        Args:
            items: kept together in one batch.
            within_s: how long to keep trying while the store cannot be reached.

        Raises:
            StorageUnavailable: the store took nothing in time, or too much is waiting already.
            StorageUnknown: it may have taken the items; nobody could be asked in time.
            StorageRefused: a value among these items cannot be stored; none of them was.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[Answer]] = loop.create_future()
        if not items:
            future.set_result(())
            return future
        if self._waiting + len(items) > self._limits.waiting:
            raise StorageUnavailable("too many statements are waiting for the database")
        entry: _Entry[Item, Answer] = _Entry(items, loop.time() + within_s, future)
        self._entries.append(entry)
        self._waiting += len(items)
        if not self._tasks or self._may_add_another():
            self._start()
        return future

    def _may_add_another(self) -> bool:
        """A statement runs, and beside it is room; before one runs, its own task parts those who wait."""
        return self._running > 0 and len(self._tasks) < _TASKS_MAX and self._are_enough(len(self._entries))

    def _start(self) -> None:
        task = asyncio.get_running_loop().create_task(self._run(), name="group commit")
        self._tasks.add(task)
        task.add_done_callback(self._has_ended)

    async def drain(self) -> None:
        """Wait until everything handed in is answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)
            await asyncio.sleep(0)  # by now their ends are noted, whatever they were

    def _has_ended(self, task: "asyncio.Task[None]") -> None:
        """A task that is cancelled before its first step never comes to its own end."""
        if task in self._tasks:
            self._let_go(task, StorageUnavailable("stopped before the database was asked"))

    def _let_go(self, task: "asyncio.Task[None] | None", error: StorageUnavailable) -> None:
        """Where no statement runs any more, answer those who still wait; the next caller starts anew."""
        if task is not None:
            self._tasks.discard(task)
        if not self._tasks:
            _refuse_all(self._entries, error)
            self._entries.clear()
            self._waiting = 0

    async def _run(self) -> None:
        batch: list[_Entry[Item, Answer]] = []
        try:
            await asyncio.sleep(0)  # let those who are ready now join the first batch
            while self._may_take() and (batch := self._take()):
                keys = [key for entry in batch for key in entry.keys]
                self._busy.update(keys)
                self._running += 1
                if self._may_add_another():
                    self._start()
                try:
                    await self._carry_out(batch)
                finally:
                    self._running -= 1
                    self._busy.difference_update(keys)
        except asyncio.CancelledError:
            _refuse_all(batch, StorageUnknown("stopped while the database was at work"))
            raise
        except BaseException as error:
            _refuse_all(batch, error)
            raise
        finally:
            self._let_go(
                asyncio.current_task(), StorageUnavailable("the statements before this one ended by a fault")
            )

    def _are_enough(self, callers: int) -> bool:
        """Tell whether so many are worth a statement beside another."""
        return 0 < self._limits.side_by_side <= callers

    def _may_take(self) -> bool:
        """There is something, and either nothing runs that could take it afterwards, or it is enough."""
        return bool(self._entries) and (not self._running or self._are_enough(len(self._entries)))

    def _most(self) -> int:
        """Return how many callers a statement takes: half, where that leaves enough for one beside it."""
        waiting = len(self._entries)
        return (waiting + 1) // 2 if not self._running and self._are_enough(waiting // 2) else waiting

    def _take(self) -> list[_Entry[Item, Answer]]:
        """Take entries in order, up to a batch; one that meets a key in use stays for the next."""
        batch: list[_Entry[Item, Answer]] = []
        left: deque[_Entry[Item, Answer]] = deque()
        keys = set(self._busy)
        size, most = 0, self._most()
        while self._entries and size < self._limits.batch and len(batch) < most:
            entry = self._entries.popleft()
            wanted = self._keys(entry.items)
            if not keys.isdisjoint(wanted) or (batch and size + len(entry.items) > self._limits.batch):
                left.append(entry)
                keys.update(wanted)  # and whoever asks for the same later stays behind it
                continue
            keys.update(wanted)
            entry.keys = wanted
            batch.append(entry)
            size += len(entry.items)
        left.extend(self._entries)
        self._entries = left
        self._waiting -= size
        return batch

    async def _carry_out(self, batch: list[_Entry[Item, Answer]]) -> None:
        """Try until every entry of the batch is answered."""
        wait_s = _BACKOFF_FIRST_S
        while batch:
            try:
                answers = await self._flush([entry.items for entry in batch])
            except StorageRefused as error:
                await self._halve(batch, error)
                return
            except Unavailable as error:
                batch = self._give_up_late_ones(batch, error)
                self._give_up_late_ones_waiting(error)
                await asyncio.sleep(wait_s * (0.5 + self._fraction() / 2))
                wait_s = min(2 * wait_s, _BACKOFF_MAX_S)
            else:
                for entry, answer in zip(batch, answers, strict=True):
                    if not entry.future.done():
                        entry.future.set_result(answer)
                return

    async def _halve(self, batch: list[_Entry[Item, Answer]], error: StorageRefused) -> None:
        """Find the guilty entry; its neighbours are carried out without it."""
        if len(batch) == 1:
            _refuse(batch[0], error)
            return
        middle = len(batch) // 2
        await self._carry_out(batch[:middle])
        await self._carry_out(batch[middle:])

    def _give_up_late_ones(
        self, batch: list[_Entry[Item, Answer]], error: Unavailable
    ) -> list[_Entry[Item, Answer]]:
        now = asyncio.get_running_loop().time()
        still = []
        for entry in batch:
            entry.was_sent |= isinstance(error, StorageUnknown)
            if now < entry.deadline:
                still.append(entry)
            else:
                _refuse(entry, StorageUnknown(str(error)) if entry.was_sent else error)
        return still

    def _give_up_late_ones_waiting(self, error: Unavailable) -> None:
        """Callers behind a batch that is tried again have deadlines of their own."""
        now = asyncio.get_running_loop().time()
        late = [entry for entry in self._entries if entry.deadline <= now]
        for entry in late:
            self._entries.remove(entry)
            self._waiting -= len(entry.items)
        _refuse_all(late, StorageUnavailable(str(error)))


def _refuse_all(entries: Iterable[_Entry[Item, Answer]], error: BaseException) -> None:
    for entry in entries:
        _refuse(entry, error)


def _refuse(entry: _Entry[Item, Answer], error: BaseException) -> None:
    if not entry.future.done():
        entry.future.set_exception(error)
        entry.future.exception()  # a caller that went away leaves no warning behind
