"""A statement for a group commit to carry out, as slow and as bad as a test wants it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from attrs import define, field

from jobmill.application.errors import StorageRefused
from jobmill.application.group_commit import GroupCommit, GroupLimits

Flush = Callable[[Sequence[Sequence[str]]], Awaitable[Sequence[Sequence[str]]]]


@define(eq=False)
class Statement:
    """A flush that waits until it is let go, and answers each item with its text doubled."""

    batches: list[list[list[str]]] = field(factory=list)
    verdicts: Sequence[BaseException] = ()
    guilty: frozenset[str] = frozenset()
    gate: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, groups: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        self.batches.append([list(group) for group in groups])
        await self.gate.wait()
        if len(self.batches) <= len(self.verdicts):
            raise self.verdicts[len(self.batches) - 1]
        if any(item in self.guilty for group in groups for item in group):
            raise StorageRefused("a value that no database takes")
        return [[2 * item for item in group] for group in groups]

    @property
    def flat(self) -> list[list[str]]:
        """The items of each batch."""
        return [[item for group in batch for item in group] for batch in self.batches]


def grouped(
    statement: Flush, keys: Callable[[str], Sequence[str]] = lambda _item: (), **limits: int
) -> GroupCommit[str, str]:
    return GroupCommit[str, str](
        statement,
        keys=lambda items: [key for item in items for key in keys(item)],
        fraction=lambda: 0.5,
        limits=GroupLimits(**limits),
    )


def handed_in(
    group: GroupCommit[str, str], *items: str, within_s: float = 5.0
) -> "asyncio.Task[Sequence[str]]":
    return asyncio.create_task(_waited(group, items, within_s))


async def _waited(group: GroupCommit[str, str], items: Sequence[str], within_s: float) -> Sequence[str]:
    return await group.submit(items, within_s=within_s)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
