"""What a provider's error means for the attempt."""

from collections.abc import Iterator
from contextlib import contextmanager

from jobmill.application.handlers import PermanentFailure, TransientFailure
from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable


@contextmanager
def provider_verdicts() -> Iterator[None]:
    """Let a provider's errors inside the block fail the attempt in the way they ask for.

    Raises:
        TransientFailure: the provider was unavailable.
        PermanentFailure: the provider refused.
    """
    try:
        yield
    except ProviderUnavailable as error:
        raise TransientFailure(str(error)) from error
    except ProviderRefused as error:
        raise PermanentFailure(str(error)) from error
