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


@frozen(kw_only=True)
class GroupLimits:
    """Bounds of one group.

    Args:
        batch: items in one statement.
        waiting: items that may wait; beyond, callers are refused at once.
    """

    batch: int = 1_000
    waiting: int = 50_000


@define(eq=False)
class _Entry(Generic[Item, Answer]):
    """What one caller handed in; it is answered as a whole."""

    items: Sequence[Item]
    deadline: float
    future: "asyncio.Future[Sequence[Answer]]"
    was_sent: bool = False


class GroupCommit(Generic[Item, Answer]):
    """Groups the calls of many tasks into batches, one statement at a time.

    With nobody waiting a call goes out at once; under load nothing is done singly. The flush belongs to the
    group: a caller that is cancelled leaves its items in the batch. A lost connection is answered by the same
    statement again, until the caller's deadline.

    Args:
        flush: carries out a batch and answers by position. May raise ``StorageUnavailable``,
            ``StorageUnknown`` and ``StorageRefused``, as a ``JobRepository`` does.
        keys: what of some items may not appear twice in one batch; what has a key of the batch waits for the
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
        self._task: asyncio.Task[None] | None = None

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
        if self._task is None:
            self._task = loop.create_task(self._run(), name="group commit")
            self._task.add_done_callback(self._has_ended)
        return future

    async def drain(self) -> None:
        """Wait until everything handed in is answered."""
        while self._task is not None:
            await asyncio.wait({self._task})
            await asyncio.sleep(0)  # by now its end is noted, whatever it was

    def _has_ended(self, task: "asyncio.Task[None]") -> None:
        """A task that is cancelled before its first step never comes to its own end."""
        if self._task is task:
            self._let_go(StorageUnavailable("stopped before the database was asked"))

    def _let_go(self, error: StorageUnavailable) -> None:
        """Answer those who still wait for their batch; the next caller starts anew."""
        self._task = None
        _refuse_all(self._entries, error)
        self._entries.clear()
        self._waiting = 0

    async def _run(self) -> None:
        batch: list[_Entry[Item, Answer]] = []
        try:
            await asyncio.sleep(0)  # let those who are ready now join the first batch
            while self._entries:
                batch = self._take()
                await self._carry_out(batch)
        except asyncio.CancelledError:
            _refuse_all(batch, StorageUnknown("stopped while the database was at work"))
            raise
        except BaseException as error:
            _refuse_all(batch, error)
            raise
        finally:
            self._let_go(StorageUnavailable("the statements before this one ended by a fault"))

    def _take(self) -> list[_Entry[Item, Answer]]:
        """Take entries in order, up to a batch; one that meets a key of the batch stays for the next."""
        batch: list[_Entry[Item, Answer]] = []
        left: deque[_Entry[Item, Answer]] = deque()
        keys: set[Hashable] = set()
        size = 0
        while self._entries and size < self._limits.batch:
            entry = self._entries.popleft()
            wanted = self._keys(entry.items)
            if not keys.isdisjoint(wanted) or (batch and size + len(entry.items) > self._limits.batch):
                left.append(entry)
                keys.update(wanted)  # and whoever asks for the same later stays behind it
                continue
            keys.update(wanted)
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
