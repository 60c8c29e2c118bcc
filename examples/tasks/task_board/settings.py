"""Where everything is: Jobmill's own setting for the database, and one for Redis."""

from collections.abc import Mapping
from typing import Self

from attrs import frozen


@frozen(kw_only=True)
class Settings:
    """What the web API is told by its environment.

    Args:
        database_url: Jobmill's. Our tables lie there too, so that one transaction holds a task and its event.
        redis_url: ``redis://…``; without it every read goes to the database.
    """

    database_url: str
    redis_url: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls(
            database_url=env.get("JOBMILL_DATABASE_URL", "sqlite:///.jobmill/jobmill.db"),
            redis_url=env.get("REDIS_URL", ""),
        )
