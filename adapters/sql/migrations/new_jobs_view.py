"""The view of SQLite by which one INSERT stores a whole job: see ``adapters/sql/statement``.

Part of revision 3, so it does not follow the tables of later ones: whoever adds a column to ``jobs`` makes
the view anew in that revision.
"""

from typing import Final

_COLUMNS: Final = (
    "id", "type", "queue", "priority", "payload", "state", "version", "stamp", "max_attempts", "timeout",
    "created_at", "updated_at", "attempt", "run_at", "retry_at", "wake_at", "ttl", "expires_at", "started_at",
    "finished_at", "announced_at", "worker", "lease_until", "stop_asked", "error", "error_kind", "result",
    "edition", "postpones", "announces", "suspect", "correlation_id", "idempotency_key", "tenant", "tags",
    "payload_version",
)  # fmt: skip
_FINISHED: Final = "'succeeded', 'failed', 'expired', 'cancelled', 'discarded'"
_NOW: Final = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000"
_ID: Final = "NEW.request ->> '$.job.id'"
#: Nobody keeps the key that stands in the table.
_IS_FREE: Final = f"""NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.id = job_keys.job_id
    AND (jobs.state NOT IN ({_FINISHED}) OR job_keys.expires_at > {_NOW}))"""  # noqa: S608 - our own words

MAKE_VIEW: Final = "CREATE VIEW new_jobs AS SELECT CAST(NULL AS TEXT) AS request WHERE 0"

MAKE_TRIGGER: Final = f"""
CREATE TRIGGER new_jobs_stored INSTEAD OF INSERT ON new_jobs BEGIN
    INSERT INTO job_keys (scope, key, job_id, fingerprint, expires_at)
    SELECT NEW.request ->> '$.key.scope', NEW.request ->> '$.key.key', {_ID},
        NEW.request ->> '$.key.fingerprint', {_NOW} + (NEW.request ->> '$.key.hold')
    WHERE NEW.request ->> '$.key.key' IS NOT NULL
    ON CONFLICT (scope, key) DO UPDATE SET
        job_id = excluded.job_id, fingerprint = excluded.fingerprint, expires_at = excluded.expires_at
        WHERE {_IS_FREE};
    INSERT INTO jobs ({", ".join(_COLUMNS)})
    SELECT {", ".join(f"NEW.request ->> '$.job.{name}'" for name in _COLUMNS)}
    WHERE NEW.request ->> '$.key.key' IS NULL OR EXISTS (
        SELECT 1 FROM job_keys WHERE job_id = {_ID}
        AND scope = NEW.request ->> '$.key.scope' AND key = NEW.request ->> '$.key.key');
    INSERT INTO outbox (id, job_id, version, stamp, queue, target, created_at, attended)
    SELECT stamp, id, version, stamp, queue, 'queue', {_NOW}, 0 FROM jobs
    WHERE id = {_ID} AND state = 'queued';
    INSERT INTO job_tags (tag, job_id)
    SELECT DISTINCT value, {_ID} FROM json_each(NEW.request, '$.tags')
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = {_ID});
END
"""  # noqa: S608 - our own words
