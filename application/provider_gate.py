"""Which jobs begin while the providers of their type are away: none, or the one that tries them."""

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import define, field

from jobmill.application.ports.guard import Outlook
from jobmill.domain.job import Job


@define(eq=False)
class ProviderGate:
    """Lets jobs be claimed only while a provider of their type may be called.

    While all are shut, none is. Where one may be tried, one job of the type does so at a time, and what comes
    of it decides about the rest.
    """

    _asked: dict[str, Callable[[], Outlook]] = field(factory=dict, init=False)
    _homes: dict[str, str] = field(factory=dict, init=False)  # the queue that each type declares
    _barred: dict[str, Outlook] = field(factory=dict, init=False)
    _trials: dict[str, UUID] = field(factory=dict, init=False)

    @property
    def is_open(self) -> bool:
        """Every job may pass, as far as it was looked."""
        return not self._barred

    def meet(self, type_name: str, outlook: Callable[[], Outlook], *, queue: str) -> None:
        """Ask for jobs of this type too, from here on."""
        self._asked[type_name] = outlook
        self._homes[type_name] = queue
        self.look()

    def look(self) -> bool:
        """Ask anew for every type; True if anything is different."""
        before = self._barred
        seen = {name: ask() for name, ask in self._asked.items()}
        self._barred = {name: outlook for name, outlook in seen.items() if outlook is not Outlook.CLEAR}
        return self._barred != before

    def bars(self, job: Job) -> bool:
        """The job waits for a provider, or is to try one."""
        return job.type in self._barred

    def keeps(self, jobs: Sequence[Job]) -> bool:
        """All these wait for providers, and in queues where nothing else is at home."""
        return not self.is_open and all(self.bars(job) and job.queue == self._homes[job.type] for job in jobs)

    def admits(self, job: Job) -> bool:
        """Whether the job may begin now."""
        outlook = self._barred.get(job.type)
        return outlook is None or (outlook is Outlook.TRIAL and job.type not in self._trials)

    def begin(self, job: Job) -> None:
        """Note that a job begins, or is being claimed."""
        if self.bars(job):
            self._trials[job.type] = job.id

    def ended(self, jobs: Sequence[Job]) -> None:
        """Note that jobs run here no more, or never began."""
        if self._trials:
            for job in jobs:
                if self._trials.get(job.type) == job.id:
                    del self._trials[job.type]
