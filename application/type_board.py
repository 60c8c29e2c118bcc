"""What a process knows of the types that other processes run, as the store told it last."""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import Final

from attrs import frozen

from jobmill.application.codec.payload_schema import read_payload
from jobmill.application.codec.stored_schema import StoredSchema
from jobmill.application.errors import InvalidPayload
from jobmill.application.ports.type_registry import LiveWorker, Sightings, StoredType
from jobmill.domain.job_type import TypeRules

_NOTHING_SEEN: Final = Sightings()


class Elsewhere(Enum):
    """Whether a living worker with other code can read a payload."""

    NO = "no"
    LIKELY = "it has upcasters for the version, and what they make of it cannot be told from here"
    SURELY = "its schema takes the payload"


@frozen(kw_only=True, slots=False)
class ForeignType:
    """A type that another process has declared, known by what it stored."""

    stored: StoredType

    @property
    def name(self) -> str:
        """The type's name in small letters."""
        return self.stored.name

    @property
    def rules(self) -> TypeRules:
        """What holds for its jobs; of the retry policy only the number of attempts is true."""
        return self.stored.rules

    @cached_property
    def schema(self) -> StoredSchema:
        """What its payloads look like."""
        return StoredSchema(self.stored.schema, self.stored.components)

    def reads(self, text: str, *, version: int) -> Elsewhere:
        """Say whether the code behind it can read a stored payload."""
        own = self.rules.payload_version
        if not self.stored.reads_from <= version <= own:
            return Elsewhere.NO
        if version < own:
            return Elsewhere.LIKELY
        try:
            self.schema.structure(read_payload(text))
        except InvalidPayload:
            return Elsewhere.NO
        return Elsewhere.SURELY


class TypeBoard:
    """Answers from memory; whoever looks at the store shows it what is there."""

    def __init__(self) -> None:
        self._seen = _NOTHING_SEEN
        self._types: Mapping[tuple[str, str], ForeignType] = {}
        self._by_name: Mapping[str, ForeignType] = {}
        self._live: Mapping[str, frozenset[str]] = {}
        self.edition = 0  # rises when something is shown

    def show(self, seen: Sightings) -> None:
        """Take over what the store has."""
        if seen.types != self._seen.types:
            before = self._types
            self._types = {
                (each.name, each.hash): _kept(before.get((each.name, each.hash)), each) for each in seen.types
            }
        live: dict[str, set[str]] = {}
        for worker in seen.workers:
            for name, schema_hash in worker.card.types.items():
                live.setdefault(name, set()).add(schema_hash)
        self._live = {name: frozenset(hashes) for name, hashes in live.items()}
        self._by_name = self._chosen()
        self._seen = seen
        self.edition += 1

    @property
    def types(self) -> tuple[ForeignType, ...]:
        """One type for each name: the highest version that runs, else the one declared last."""
        return tuple(self._by_name[name] for name in sorted(self._by_name))

    @property
    def workers(self) -> Sequence[LiveWorker]:
        """The workers that live."""
        return self._seen.workers

    @property
    def doubles(self) -> Mapping[str, frozenset[str]]:
        """The hashes of every name that runs with more than one schema."""
        return {name: hashes for name, hashes in sorted(self._live.items()) if len(hashes) > 1}

    def find(self, name: str) -> ForeignType | None:
        """Return a type by its name, in any case; None if nobody has declared it."""
        return self._by_name.get(name) or self._by_name.get(name.lower())

    def is_run(self, name: str) -> bool:
        """A living worker runs the type."""
        return name in self._live

    def reads_elsewhere(self, name: str, text: str, *, version: int, own_hash: str) -> Elsewhere:
        """Say whether a living worker with another schema than our own can read a stored payload."""
        best = Elsewhere.NO
        for schema_hash in self._live.get(name, frozenset()) - {own_hash}:
            found = self._types.get((name, schema_hash))
            match Elsewhere.NO if found is None else found.reads(text, version=version):
                case Elsewhere.SURELY:
                    return Elsewhere.SURELY
                case Elsewhere.LIKELY:
                    best = Elsewhere.LIKELY
                case _:
                    pass
        return best

    def _chosen(self) -> Mapping[str, ForeignType]:
        chosen: dict[str, ForeignType] = {}
        for each in self._types.values():
            rival = chosen.get(each.name)
            if rival is None or self._rank(each) > self._rank(rival):
                chosen[each.name] = each
        return chosen

    def _rank(self, one: ForeignType) -> tuple[bool, int, float]:
        is_live = one.stored.hash in self._live.get(one.name, ())
        declared_at = one.stored.declared_at
        age = 0.0 if declared_at is None else declared_at.timestamp()
        return is_live, one.rules.payload_version if is_live else 0, age


def _kept(known: ForeignType | None, stored: StoredType) -> ForeignType:
    """A schema is prepared once, however often it is seen."""
    return known if known is not None and known.stored == stored else ForeignType(stored=stored)
