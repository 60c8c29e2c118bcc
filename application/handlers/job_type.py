"""A declared type of job, and how its payload becomes what the function takes."""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from jobmill.application.codec.payload_schema import PayloadSchema, read_payload, write_payload
from jobmill.application.codec.stored_schema import schema_hash
from jobmill.application.errors import InvalidPayload
from jobmill.application.handlers.gathering import Gathering
from jobmill.application.ports.guard import Outlook
from jobmill.domain.errors import Fault, JobmillError
from jobmill.domain.job_type import TypeRules

P = TypeVar("P")

#: Turns the payload of one version, as plain values, into that of the next.
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class HandlerFault(JobmillError):
    """A handler is declared in a way that cannot work; the message names it and the mend."""

    code = "handler-fault"


class HandlerKind(Enum):
    """Where a handler's function runs."""

    LOOP = "an async def function, on the worker's event loop"
    THREAD = "a def function, in a thread"
    PROCESS = "a def function, in a process of its own that can be ended"


@frozen(kw_only=True, eq=False, slots=False)
class JobType(Generic[P]):
    """A declared type of job: its rules, its payload class, and the function that runs it.

    Args:
        function: the decorated function, for a direct unit test.
        upcasters: by the version that each takes; it returns the next one.
        gathering: of a batch handler, which is called with many jobs; None for one that takes a single one.
        outlook: whether the providers that the function calls may be called now; None where it calls none.
    """

    rules: TypeRules
    schema: PayloadSchema[P]
    function: Callable[..., Any]
    takes_context: bool
    kind: HandlerKind = HandlerKind.LOOP
    upcasters: Mapping[int, Upcaster] = field(factory=dict)
    gathering: Gathering | None = None
    outlook: Callable[[], Outlook] | None = None

    @property
    def name(self) -> str:
        """The type's name in small letters."""
        return self.rules.name

    @cached_property
    def schema_hash(self) -> str:
        """What tells this schema from others of the name; see ``StoredType``."""
        return schema_hash(
            version=self.rules.payload_version,
            schema=self.schema.json_schema,
            components=self.schema.components,
        )

    @cached_property
    def reads_from(self) -> int:
        """The oldest version of the payload from which upcasters lead to this one without a gap."""
        version = self.rules.payload_version
        while version - 1 in self.upcasters:
            version -= 1
        return version

    def reads(self, version: int) -> bool:
        """There is a way from this version of the payload to the one that the function takes."""
        return self.reads_from <= version <= self.rules.payload_version

    def decode(self, text: str, *, version: int) -> P:
        """Return a stored payload as the function wants it.

        Args:
            text: the payload as JSON text.
            version: which version of the payload it is; an older one goes through the upcasters.

        Raises:
            InvalidPayload: this code cannot read it.
        """
        if version == self.rules.payload_version:
            return self.schema.read(text)
        return self.schema.structure(self._newest(text, version))

    def newest_text(self, text: str, *, version: int) -> str:
        """Return a stored payload as JSON text of the newest version; arguments and errors as in ``decode``.

        Whether the schema takes it is not looked at.
        """
        if version == self.rules.payload_version:
            return text
        return write_payload(self._newest(text, version))

    def _newest(self, text: str, version: int) -> object:
        value = read_payload(text)
        if version > self.rules.payload_version:
            known = f"this code knows versions up to {self.rules.payload_version}"
            raise InvalidPayload(Fault(pointer="/payload", detail=f"is of version {version}; {known}"))
        for step in range(version, self.rules.payload_version):
            value = self._upcast(value, step)
        return value

    def _upcast(self, value: object, version: int) -> object:
        upcaster = self.upcasters.get(version)
        if upcaster is None:
            mend = f"declare one for {self.name!r}: upcasters={{{version}: …}}"
            detail = f"is of version {version}, and no upcaster takes that; {mend}"
            raise InvalidPayload(Fault(pointer="/payload", detail=detail))
        if not isinstance(value, dict):
            raise InvalidPayload(Fault(pointer="/payload", detail="must be an object"))
        try:
            return upcaster(value)
        except Exception as error:
            detail = f"the upcaster from version {version} failed: {type(error).__name__}: {error}"
            raise InvalidPayload(Fault(pointer="/payload", detail=detail)) from error

    def call(self, payload: P, context: object) -> Any:  # noqa: ANN401 - of an async def, a coroutine
        """Call the function with what it asks for."""
        return self.function(payload, context) if self.takes_context else self.function(payload)


def place_of(function: Callable[..., object]) -> str:
    """Return the name by which people find a function."""
    return f"{function.__module__}.{function.__qualname__}"
