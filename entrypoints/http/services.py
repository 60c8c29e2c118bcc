"""What the HTTP entrance needs of the rest."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from attrs import Factory, field, frozen

from jobmill.application.handlers import Registry
from jobmill.application.inspector import Inspector
from jobmill.application.operator import Operator
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.provider_states import ProviderStates
from jobmill.application.submitter import Submitter
from jobmill.application.watch import Watch
from jobmill.entrypoints.metrics import Metrics

#: What a part says of itself when nothing is wrong.
OK: Final = "ok"


@frozen(kw_only=True)
class HttpServices:
    """The services behind the routes.

    Args:
        readiness: asks each part, by name, how it is: ``OK`` or what is wrong, for a person.
        is_local: only this machine can connect, so only its own names may stand in ``Host``.
        version: Jobmill's own.
        metrics: of the process.
    """

    submitter: Submitter
    operator: Operator
    inspector: Inspector
    registry: Registry
    readiness: Callable[[], Awaitable[Mapping[str, str]]]
    is_local: bool
    version: str
    providers: ProviderStates
    metrics: Metrics
    watch: Watch = field(default=Factory(lambda self: Watch(finder=self.inspector.finder), takes_self=True))

    @property
    def clock(self) -> Clock:
        """The store's clock."""
        return self.submitter.clock

    @property
    def entropy(self) -> Entropy:
        """Where the ids of requests come from."""
        return self.submitter.entropy
