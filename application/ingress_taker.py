"""One message of a foreign producer: what it amounts to, and bringing that to the store."""

from enum import Enum

from attrs import define, frozen

from jobmill.application.codec.ingress import read_ingress
from jobmill.application.errors import IdempotencyConflict, QueueFull, StorageRefused, Unavailable
from jobmill.application.ingress_binding import IngressBinding
from jobmill.application.ports.ingress import IngressMessage
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.application.setting_aside import SettingAside
from jobmill.application.submitter import Submitter
from jobmill.domain.errors import InvalidInput, JobmillError


class IngressOutcome(Enum):
    """What became of a message."""

    ACCEPTED = "accepted"
    REPLAYED = "replayed"  # it had become a job before
    QUARANTINED = "quarantined"


@define(kw_only=True, eq=False)
class IngressCase:
    """A message that was read: a job to be stored, or an entry for the quarantine; the latter goes before.

    Made once for a message, so that storing it may be tried again without making a second of either.

    Args:
        is_keyless: nothing tells the message from another.
    """

    message: IngressMessage
    source: str
    new: NewJob | None = None
    letter: ForeignMessage | None = None
    is_keyless: bool = False


@frozen(kw_only=True)
class IngressTaker:
    """Makes jobs of messages, and sets aside what makes none."""

    submitter: Submitter
    aside: SettingAside

    async def read(self, message: IngressMessage, binding: IngressBinding) -> IngressCase:
        """Decide what a message amounts to; nothing is stored."""
        case = IngressCase(message=message, source=binding.queue)
        try:
            await self._read(case, binding)
        except InvalidInput as refusal:
            self._refuse(case, refusal)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes bring up is their trouble alone
            self._refuse(case, error)
        return case

    async def settle(self, case: IngressCase) -> IngressOutcome:
        """Store what a message amounts to; the message may be acknowledged when this returns.

        Raises:
            Unavailable: the store is away, or a queue is full; try again with the same case.
        """
        if case.letter is None and case.new is not None:
            try:
                [accepted] = await self.submitter.store([case.new])
            except (IdempotencyConflict, StorageRefused) as refusal:
                self._refuse(case, refusal)
            else:
                return IngressOutcome.REPLAYED if accepted.replayed else IngressOutcome.ACCEPTED
        if case.letter is not None:
            try:
                await self.aside.keep([case.letter])
            except StorageRefused as error:
                raise Unavailable(f"the database takes no entry for the quarantine: {error}") from error
        return IngressOutcome.QUARANTINED

    async def could_settle(self, trouble: Unavailable, *, count: int) -> bool:
        """Tell whether trouble is over, so that so many messages might be settled now."""
        try:
            await self.aside.quarantine.page(limit=1)
            if isinstance(trouble, QueueFull):
                return await self.submitter.backlog.has_room(trouble.queue, count)
        except JobmillError:
            return False
        return True

    async def _read(self, case: IngressCase, binding: IngressBinding) -> None:
        entry = read_ingress(case.message.body, message_id=case.message.message_id, binding=binding)
        command, case.is_keyless = entry.command, entry.is_keyless
        queue = command.options.queue
        await self.submitter.learn([command.type], queues=[] if queue is None else [queue])
        try:
            [case.new] = self.submitter.draft([command], client=f"ingress:{binding.name}")
        except InvalidInput as refusal:
            raise entry.placed(refusal) from None

    def _refuse(self, case: IngressCase, error: Exception) -> None:
        reason = str(error) if isinstance(error, JobmillError) else f"could not be read: {error!r}"
        case.letter = self.aside.letter(case.message.body, reason, delivery=case.message, source=case.source)
