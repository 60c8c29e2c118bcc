"""The root of every error Jobmill raises, and the errors of broken domain rules."""

from collections.abc import Iterable, Sequence
from typing import Self
from uuid import UUID

from attrs import frozen


class JobmillError(Exception):
    """Any refusal by Jobmill. ``code`` is stable and names the broken rule on every interface."""

    code: str = "jobmill-error"


@frozen(kw_only=True)
class Fault:
    """One thing wrong with an input.

    Args:
        pointer: where, as a JSON pointer (RFC 6901) into the input; ``""`` is the whole of it.
        detail: what is wrong and what would be right, for a person.
    """

    pointer: str
    detail: str


class InvalidInput(JobmillError):
    """Input that breaks one or more rules; ``faults`` names them all."""

    code = "invalid-input"

    def __init__(self, *faults: Fault, code: str | None = None) -> None:
        self.faults = faults
        self.code = code or self.code
        super().__init__("; ".join(f"{fault.pointer or '(input)'}: {fault.detail}" for fault in faults))

    @property
    def errors(self) -> Sequence[tuple[str, str]]:
        """Each place, as a JSON pointer, and what is wrong there."""
        return [(fault.pointer, fault.detail) for fault in self.faults]

    def below(self, pointer: str) -> Self:
        """Return the same refusal for input that stands at ``pointer`` of something larger."""
        if not pointer:
            return self
        return self.naming(
            Fault(pointer=pointer + fault.pointer, detail=fault.detail) for fault in self.faults
        )

    def naming(self, faults: Iterable[Fault]) -> Self:
        """Return a refusal of the same class and code for these faults."""
        refusal = type(self).__new__(type(self))  # the class may be made from something else than faults
        InvalidInput.__init__(refusal, *faults, code=self.code)
        return refusal


def joined(refusals: Sequence[InvalidInput]) -> InvalidInput:
    """Return one refusal with the faults of all; of their kind where they agree, else the general one."""
    if len(refusals) == 1:
        return refusals[0]
    faults = (fault for refusal in refusals for fault in refusal.faults)
    if len({(type(refusal), refusal.code) for refusal in refusals}) == 1:
        return refusals[0].naming(faults)
    codes = {refusal.code for refusal in refusals}
    return InvalidInput(*faults, code=codes.pop() if len(codes) == 1 else InvalidInput.code)


class IllegalTransition(JobmillError):
    """A move that the job's state does not allow."""

    code = "illegal-transition"

    def __init__(self, *, job_id: UUID, state: str, verb: str, reason: str = "") -> None:
        self.job_id = job_id
        self.state = state
        self.verb = verb
        super().__init__(
            f"cannot {verb.replace('_', ' ')} job {job_id}: it is {state}{reason and f' ({reason})'}"
        )
