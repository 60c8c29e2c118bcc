"""The statements of the limit: a row per job, written and twice updated, many at once."""

from typing import Final

TABLE: Final = """
create table if not exists work (
    id bigint primary key,
    state smallint not null,
    payload text not null,
    updated_at timestamptz not null default now()
) with (fillfactor = 80)
"""
INSERT: Final = """
insert into work (id, state, payload)
select id, 0, body from unnest($1::bigint[], $2::text[]) u(id, body)
"""
UPDATE: Final = (
    "update work set state = $2, updated_at = now() from unnest($1::bigint[]) u(id) where work.id = u.id"
)
LEFT: Final = "select count(*) from work where state <> 2"
#: Jobs that share a message.
PARCEL: Final = 50
