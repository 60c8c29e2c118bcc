"""The settings: read once, checked whole, never printed with their secrets."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Self

from attrs import Attribute, Factory, field, fields, frozen

from jobmill.application.errors import SetupFault
from jobmill.application.fair_queues import FairQueues
from jobmill.application.ingress_binding import IngressBinding
from jobmill.domain.retention import Retention
from jobmill.entrypoints import setting_rules as rules
from jobmill.entrypoints.ingress_settings import all_bindings, bindings_table, bindings_text
from jobmill.entrypoints.project_file import FILE, TABLE, UnreadableProject, read_table, text_of

PREFIX: Final = "JOBMILL_"
#: Names for tests, benchmarks and fault runs; they may stand in the environment and mean nothing here.
RESERVED: Final = ("JOBMILL_TEST_", "JOBMILL_BENCH_", "JOBMILL_CHAOS_")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
PORT_MAX: Final = 65_535
CONCURRENCY_MAX: Final = 10_000
THREADS_MAX: Final = 1_000
PROCESSES_MAX: Final = 1_000
QUEUE_JOBS_MAX: Final = 1_000_000_000


class WrongSettings(SetupFault):
    """One or more settings are unknown or cannot be read; the message lists them all."""

    code = "wrong-settings"


_port: Final = rules.number(1, PORT_MAX)


def _setting(
    read: Callable[[str], object],
    default: object,
    text: str,
    *,
    secret: bool = False,
    of_table: Callable[[Mapping[str, Any]], object] | None = None,
) -> Any:  # noqa: ANN401 - as attrs' own field()
    metadata = {"read": read, "text": text, "of_table": of_table}
    return field(default=default, repr=not secret, metadata=metadata)


@frozen(kw_only=True)
class Settings:
    """Everything that can be set from outside, one environment variable each."""

    host: str = _setting(
        rules.host, "127.0.0.1", "Address to serve HTTP on; the default is both 127.0.0.1 and ::1."
    )
    port: int = _setting(_port, 3000, "Port to serve HTTP on.")
    metrics_host: str = _setting(
        rules.host, "127.0.0.1", "Address of a worker's `/metrics` and `/health/…`; the API has its own."
    )
    metrics_port: int | None = _setting(
        _port,
        None,
        "Port of a worker's `/metrics` and `/health/…`; the default is the first free one of 9464 to 9473.",
    )
    open: bool = _setting(rules.flag, False, "1 allows an address that others can reach, without API keys.")
    home: Path = _setting(rules.folder, Path(".jobmill"), "Folder of the embedded database, outbox and lock.")
    database_url: str = _setting(
        rules.database_url,
        Factory(lambda self: f"sqlite:///{self.home / 'jobmill.db'}", takes_self=True),
        "`postgresql://…` or `sqlite:///…`; the default is `jobmill.db` in `JOBMILL_HOME`.",
        secret=True,
    )
    broker_url: tuple[str, ...] = _setting(
        rules.broker_urls,
        ("memory://",),
        "`amqp://…`, several with commas between them are tried in turn; `memory://` for `jobmill up`.",
        secret=True,
    )
    redis_url: str | None = _setting(
        rules.redis_url,
        None,
        "`redis://user:password@host:6379/0`: processes keep providers' rates together; unset, each alone.",
        secret=True,
    )
    prefix: str = _setting(rules.prefix, "jobmill", "First part of the names of exchanges and queues.")
    fair_queues: FairQueues = _setting(
        rules.fair_queues,
        Factory(FairQueues),
        "Queues in which tenants take turns, as in `calls,emails:16`; see `docs/fairness.md`.",
    )
    handlers: tuple[str, ...] = _setting(
        rules.modules, (), "Modules with your handlers, with commas between them; `module:name` is allowed."
    )
    ingress: tuple[IngressBinding, ...] = _setting(
        bindings_text,
        (),
        "Queues of foreign producers, as JSON; see `docs/ingress.md`. `<prefix>.ingress` is always read.",
        of_table=bindings_table,
    )
    smtp_url: tuple[str, ...] = _setting(
        rules.smtp_urls,
        (),
        "`smtp://user:password@host:port`, several in the order of preference; unset, mails become files.",
        secret=True,
    )
    sms_url: tuple[str, ...] = _setting(
        rules.telephone_urls,
        (),
        "`twilio://SID:TOKEN@api.twilio.com?from=+1…`, or several likewise; unset, texts are only simulated.",
        secret=True,
    )
    call_url: tuple[str, ...] = _setting(
        rules.telephone_urls,
        (),
        "The same for calls; unset, they are only simulated.",
        secret=True,
    )
    push_url: tuple[str, ...] = _setting(
        rules.push_urls,
        (),
        "`fcm:///path/service-account.json` for devices, `webpush://?…` for browsers; unset, simulated.",
        secret=True,
    )
    templates: Path | None = _setting(
        rules.folder, None, "Folder of the templates that mails, texts and pushes may name."
    )
    webhook_networks: str = _setting(
        rules.networks,
        "",
        "Private networks that webhooks may reach, as in `10.1.0.0/16,fd00::/8`; none by default.",
    )
    webhook_secrets: str = _setting(
        rules.webhook_secrets,
        "",
        "`name=whsec_…,other=whsec_…+whsec_…`: what signs webhooks; several of one name sign all at once.",
        secret=True,
    )
    concurrency: int = _setting(
        rules.number(1, CONCURRENCY_MAX), 100, "Jobs that one worker process runs at once."
    )
    threads: int = _setting(
        rules.number(1, THREADS_MAX), 32, "Jobs with a `def` handler that one worker process runs at once."
    )
    processes: int | None = _setting(
        rules.number(1, PROCESSES_MAX),
        None,
        "Jobs with a `process=True` handler that one worker runs at once; the default is one for each core.",
    )
    queue_jobs_max: int = _setting(
        rules.number(1, QUEUE_JOBS_MAX),
        1_000_000,
        "Undelivered jobs that a queue may hold; beyond, submitting is refused (503).",
    )
    retention_done: timedelta | None = _setting(
        rules.keep,
        timedelta(hours=72),
        "How long succeeded, cancelled and discarded jobs are kept, as in `12h`; `never` deletes none.",
    )
    retention_dead: timedelta | None = _setting(
        rules.keep,
        timedelta(days=90),
        "How long dead letters and quarantined messages are kept; `never` deletes none.",
    )
    shutdown_grace_s: int = _setting(
        rules.number(0, 3_600), 25, "Seconds that running jobs get to finish at shutdown."
    )
    log: str = _setting(
        rules.one_of("debug", "info", "warning", "error"), "info", "Least level that is logged."
    )
    log_format: str | None = _setting(
        rules.one_of("console", "json"),
        None,
        "`console` or `json`; the default is console on a terminal, else json.",
    )

    @property
    def retention(self) -> Retention:
        """How long what is over is kept."""
        return Retention(done=self.retention_done, dead=self.retention_dead)

    @property
    def bindings(self) -> tuple[IngressBinding, ...]:
        """All queues of foreign producers, the mill's own included."""
        return all_bindings(self.ingress, prefix=self.prefix)

    @property
    def is_embedded(self) -> bool:
        """The bus lives in one process only."""
        return self.broker_url == ("memory://",)

    @property
    def is_local(self) -> bool:
        """HTTP is served to this machine only."""
        return self.host in _LOOPBACK

    @property
    def is_metrics_local(self) -> bool:
        """A worker shows how it is to this machine only."""
        return self.metrics_host in _LOOPBACK

    @property
    def sqlite_file(self) -> Path | None:
        """The file of a SQLite database; None for any other."""
        scheme, _, path = self.database_url.partition(":///")
        return Path(path) if scheme.startswith("sqlite") else None

    @classmethod
    def here(cls, env: Mapping[str, str]) -> Self:
        """Read the settings of a process in the working directory.

        The environment stands above the table ``[tool.jobmill]`` of the directory's ``pyproject.toml``, which
        is checked whole all the same; other arguments and errors as in ``from_env``.
        """
        try:
            return cls.from_env(env, table=read_table(Path()))
        except UnreadableProject as error:
            raise WrongSettings(str(error)) from None

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, table: Mapping[str, object] | None = None) -> Self:
        """Read the settings.

        Args:
            env: the environment; an empty value counts as unset.
            table: what stands below it, by the names of the fields: texts as in the environment, or numbers,
                booleans and lists of texts where the setting is one.

        Raises:
            WrongSettings: names that are not known and values that cannot be read, all of them.
        """
        known = {PREFIX + one.name.upper(): one for one in fields(cls)}
        faults: list[str] = []
        values = _from_table(table or {}, {one.name: one for one in fields(cls)}, faults)
        for name, text in sorted(env.items()):
            if not name.startswith(PREFIX) or name.startswith(RESERVED) or not text:
                continue
            if name not in known:
                faults.append(f"{name}: no such setting{_suggestion(name, known)}")
                continue
            try:
                values[known[name].name] = _read(known[name], text)
            except ValueError as error:
                faults.append(f"{name}: {error}")
        if faults:
            raise WrongSettings("\n".join(faults))
        settings = cls(**values)
        try:
            _ = settings.bindings
        except ValueError as error:
            raise WrongSettings(f"{PREFIX}INGRESS: {error}") from None
        return settings


def _from_table(
    table: Mapping[str, object], known: Mapping[str, "Attribute[Any]"], faults: list[str]
) -> dict[str, Any]:
    """Return the values of a table, and add what is wrong with it to ``faults``."""
    values: dict[str, Any] = {}
    for key, value in sorted(table.items()):
        place = f"{FILE}, {TABLE} {key if key.isidentifier() else ascii(key[:60])}"
        if key not in known:
            faults.append(f"{place}: no such setting{_suggestion(key, known)}")
            continue
        of_table = known[key].metadata["of_table"]
        try:
            is_list = known[key].metadata["read"] in rules.LISTS
            if of_table is not None and isinstance(value, dict):
                values[key] = of_table(value)
            elif of_table is not None and not isinstance(value, str):
                raise ValueError(f"must be tables, as in {TABLE[:-1]}.{key}.orders]")
            elif text := text_of(value, kind=known[key].type, is_list=is_list):
                values[key] = _read(known[key], text)
        except ValueError as error:
            faults.append(f"{place}: {error}")
    return values


def _read(setting: "Attribute[Any]", text: str) -> object:
    rules.check_text(text)
    return setting.metadata["read"](text)


def _suggestion(name: str, known: Mapping[str, "Attribute[Any]"]) -> str:
    close = get_close_matches(name[:100], known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"
