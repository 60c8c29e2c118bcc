"""Several providers for one type of job, in the order of preference."""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Final, Generic, TypeVar

from attrs import frozen

from jobmill.application.handlers import PermanentFailure, RetryAfter, TransientFailure
from jobmill.application.handlers.raising import ProviderAway
from jobmill.application.ports.guard import CallResult, Go, Outlook, ProviderGuard, Shut
from jobmill.application.ports.providers import Carrier, ProviderRefused, ProviderUnavailable
from jobmill.application.provider_limits import OnOpen
from jobmill.domain.retry_policy import CAP_MAX

M = TypeVar("M")


#: Where all are shut no job of the type begins, so one that was turned away may come back to the others soon.
_BACK_SOON: Final = timedelta(seconds=1)
#: A job that only some providers carry, which are shut, is not held back; it asks again after a while.
_BACK_LATER: Final = timedelta(seconds=30)


def carries_any(_message: object) -> bool:
    """Whatever the message is."""
    return True


class OnDoubt(Enum):
    """What to do where a provider may have taken the message and its answer was lost."""

    RETRY = "retry"  # fail the attempt; the next one begins at the first provider
    FAILOVER = "failover"  # ask the next one: the message may arrive twice
    FAIL = "fail"  # the job: a person looks what became of the message


@frozen(kw_only=True)
class Choice(Generic[M]):
    """One provider of a chain.

    Args:
        name: short, stable, without secrets; what the guard, errors and results call it.
        carries: tells the messages that are for such a provider; it is not asked for others.
    """

    name: str
    carrier: Carrier[M]
    on_open: OnOpen
    on_doubt: OnDoubt
    carries: Callable[[M], bool] = carries_any


@frozen(kw_only=True)
class _Failed(Generic[M]):
    """A provider that was asked and did not take the message."""

    choice: Choice[M]
    error: ProviderUnavailable
    was_probe: bool


@frozen(kw_only=True)
class Taken:
    """A provider has the message.

    Args:
        provider: its name.
        answer: what it says of where the message is.
    """

    provider: str
    answer: dict[str, str]


@frozen(kw_only=True)
class ProviderChain(Generic[M]):
    """Asks providers one after the other until one has taken the message."""

    choices: tuple[Choice[M], ...]
    guard: ProviderGuard

    def outlook(self) -> Outlook:
        """Say whether jobs may begin: not where each would only be told to wait. Asks nobody."""
        best = Outlook.SHUT
        for each in self.choices:
            seen = self.guard.outlook(each.name)
            if seen is Outlook.CLEAR or each.on_open is OnOpen.FAIL:
                return Outlook.CLEAR
            if seen is Outlook.TRIAL:
                best = seen
            if each.on_open is OnOpen.WAIT and each.carries is carries_any:
                break  # it is waited for, whoever follows
        return best

    async def send(self, message: M, *, attempt: int) -> Taken:
        """Return who took the message.

        Raises:
            PermanentFailure: a provider refused it, or none carries such a message, or one may have taken it
                and nobody shall send it again.
            RetryAfter: all are shut, or one that is to be waited for; without counting the attempt. Or the
                last one is busy and says for how long. Or whoever was asked was only tried, and is not back.
            TransientFailure: the last one that was asked did not take it.
        """
        fitting = [each for each in self.choices if each.carries(message)]
        if not fitting:
            names = ", ".join(each.name for each in self.choices)
            raise PermanentFailure(f"none of the providers carries such a message: {names}")
        shut: list[Shut] = []
        failed: list[_Failed[M]] = []
        for each in fitting:
            go = await self.guard.ask(each.name, attempt=attempt)
            if isinstance(go, Shut):
                self._pass(each, go)
                shut.append(go)
                continue
            try:
                answer = await self._call(each, message, go)
            except ProviderRefused as error:
                raise PermanentFailure(f"{each.name}: {error}") from error
            except ProviderUnavailable as error:
                failed.append(_Failed(choice=each, error=error, was_probe=go.is_probe))
                if error.in_doubt and each.on_doubt is not OnDoubt.FAILOVER:
                    break
            else:
                return Taken(provider=each.name, answer=dict(answer))
        raise self._verdict(failed) if failed else self._waiting(shut)

    async def _call(self, choice: Choice[M], message: M, go: Go) -> dict[str, str]:
        """Send, and tell the guard what came of it, whatever that is."""
        result, retry_after = CallResult.FAILED, None
        try:
            answer = await choice.carrier.send(message)
            result = CallResult.SUCCEEDED
            return dict(answer)
        except ProviderRefused:
            result = CallResult.REFUSED
            raise
        except ProviderUnavailable as error:
            result = CallResult.BUSY if error.is_busy else CallResult.FAILED
            retry_after = error.retry_after
            raise
        finally:
            await self.guard.tell(go, result, retry_after=retry_after)

    def _pass(self, choice: Choice[M], shut: Shut) -> None:
        """Return if the next provider may be asked."""
        match choice.on_open:
            case OnOpen.FAILOVER:
                return
            case OnOpen.FAIL if shut.is_open:
                raise TransientFailure(shut.reason)
            case _:  # a provider that is only asked for too much is waited for
                raise self._waiting([shut])

    def _waiting(self, shut: list[Shut]) -> RetryAfter:
        wait = self._comes_back(min(each.wait for each in shut))
        reason = "; ".join(each.reason for each in shut)
        if all(each.is_open for each in shut):
            return ProviderAway(wait, reason)
        return RetryAfter(wait, reason, counts=False)

    def _verdict(self, failed: list[_Failed[M]]) -> Exception:
        """What the last failure means for the attempt; its words are those of all."""
        said = "; ".join(f"{each.choice.name}: {each.error}" for each in failed)
        last, error = failed[-1].choice, failed[-1].error
        if error.in_doubt and last.on_doubt is OnDoubt.FAIL:
            mend = "look there what became of it, then requeue or discard the job"
            return PermanentFailure(f"{said}; {last.name} may have taken it all the same: {mend}")
        if error.is_busy and error.retry_after is not None:
            return RetryAfter(error.retry_after, said, counts=False)
        if all(each.was_probe for each in failed):
            return self._after_probes(failed, said)
        return TransientFailure(said)

    def _after_probes(self, failed: list[_Failed[M]], said: str) -> Exception:
        """A job that was sent ahead for all the others does not pay for it, unless it may have arrived."""
        wait = self._comes_back(_BACK_LATER)
        doubtful = [each for each in failed if each.error.in_doubt]
        if not doubtful:
            return ProviderAway(wait, said)
        if all(each.choice.on_doubt is OnDoubt.FAILOVER for each in doubtful):  # a second copy is harmless
            return RetryAfter(wait, said, counts=False)
        return TransientFailure(said)

    def _comes_back(self, wait: timedelta) -> timedelta:
        is_held_back = self.outlook() is not Outlook.CLEAR
        return min(wait, _BACK_SOON if is_held_back else CAP_MAX)
