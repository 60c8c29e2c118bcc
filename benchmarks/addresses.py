"""The two servers that a run uses, and the names that it uses there."""

import os
import secrets
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from attrs import field, frozen

from benchmarks.peers import place

AMQP_DEFAULT = "amqp://guest:guest@127.0.0.1:5672/"
POSTGRES_DEFAULT = "postgresql://postgres@127.0.0.1:5432/test"


@frozen(kw_only=True)
class Addresses:
    """Servers that others may use too: every queue and database of a run begins with its prefix."""

    amqp_url: str = field(repr=False)
    postgres_url: str = field(repr=False)
    prefix: str = field(factory=lambda: f"jobmill_bench_{secrets.token_hex(4)}")

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Take what the environment names, else servers on this machine at their usual ports."""
        return cls(
            amqp_url=env.get(place.AMQP) or AMQP_DEFAULT,
            postgres_url=env.get(place.POSTGRES) or POSTGRES_DEFAULT,
        )

    @property
    def amqp_port(self) -> int:
        return urlsplit(self.amqp_url).port or 5672

    @property
    def postgres_port(self) -> int:
        return urlsplit(self.postgres_url).port or 5432

    def database(self, contender: str) -> str:
        """Return the name of a contender's database."""
        return f"{self.prefix}_{contender}".replace("-", "_")

    def database_url(self, contender: str) -> str:
        parts = urlsplit(self.postgres_url)
        return urlunsplit(parts._replace(path=f"/{self.database(contender)}"))
