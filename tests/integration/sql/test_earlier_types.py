"""Types that an earlier release has stored can still be read."""

from sqlalchemy import select, update

from jobmill.adapters.sql import SqlStore
from jobmill.adapters.sql.process_tables import job_types
from jobmill.application.ports.type_registry import StoredType
from jobmill.domain.job_type import TypeRules


async def test_a_type_that_was_stored_before_there_were_log_fields_has_none(store: SqlStore) -> None:
    rules = TypeRules(name="ring", log_fields=("call_id",))
    await store.types.declare([StoredType(name="ring", hash="h", rules=rules, reads_from=1, schema={})])
    database = store.types._database
    [row] = await database.write(select(job_types.c.rules))
    then = {name: value for name, value in row.rules.items() if name != "log_fields"}
    await database.write(update(job_types).values(rules=then).returning(job_types.c.name))

    [stored] = (await store.types.look()).types

    assert stored.rules == TypeRules(name="ring")
