"""The root of every error Jobmill raises, and the errors of broken domain rules."""

from collections.abc import Sequence
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

    def below(self, pointer: str) -> "InvalidInput":
        """Return the same refusal for input that stands at ``pointer`` of something larger."""
        if not pointer:
            return self
        moved = (Fault(pointer=pointer + fault.pointer, detail=fault.detail) for fault in self.faults)
        return InvalidInput(*moved, code=self.code)


def joined(refusals: Sequence[InvalidInput]) -> InvalidInput:
    """Return one refusal with the faults of all; under their code where they agree, else the general one."""
    if len(refusals) == 1:
        return refusals[0]
    codes = {refusal.code for refusal in refusals}
    faults = (fault for refusal in refusals for fault in refusal.faults)
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
