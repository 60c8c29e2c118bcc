"""The list of commands. Each is imported when it is called, so that help and version come at once."""

from typing import Final

from cyclopts import App, Group, Parameter

_RUN: Final = Group("Run", sort_key=1)
_JOBS: Final = Group("Jobs", sort_key=2)
_DEAD: Final = Group("Dead letters", sort_key=3)
_SETUP: Final = Group("Set up", sort_key=4)
_OTHER: Final = Group("Other", sort_key=5)

_COMMANDS: Final = (
    (_RUN, "up", "serve:up", "Run everything in one process: API, worker, database, queue."),
    (_RUN, "api", "serve:api", "Serve HTTP; needs a broker and, elsewhere, workers."),
    (_RUN, "worker", "serve:worker", "Run jobs; as many processes as you like, anywhere."),
    (_JOBS, "submit", "submit:submit", "Store a job to be run."),
    (_JOBS, "jobs", "jobs:jobs", "List jobs, newest first."),
    (_JOBS, "job", "jobs:job", "Show all that is known of one job."),
    (_JOBS, "batch", "batch:batch", "Show how the jobs of a batch stand."),
    (_JOBS, "cancel", "operate:cancel", "Take waiting jobs back; ask running ones to stop."),
    (_DEAD, "dead", "dead:dead", "List what failed, expired, or could not be understood."),
    (_DEAD, "requeue", "operate:requeue", "Start dead or cancelled jobs over."),
    (_DEAD, "discard", "operate:discard", "Put dead letters away for good."),
    (_SETUP, "new", "new:new", "Make a small working project: handlers, tests, settings, README."),
    (_SETUP, "migrate", "migrate:migrate", "Bring the database up to date."),
    (_SETUP, "topology", "topology:app", "Plan or create the broker's queues and exchanges."),
    (_SETUP, "types", "types:types", "List the types of job that the settings declare."),
    (_SETUP, "providers", "providers:providers", "List the providers that workers call, and how they are."),
    (_SETUP, "doctor", "doctor:doctor", "Say what is in order, and the mend of what is not."),
    (_OTHER, "version", "version:version", "Print the version; so does --version."),
)

_EPILOGUE: Final = (
    "Settings are environment variables: JOBMILL_DATABASE_URL, JOBMILL_BROKER_URL, JOBMILL_HANDLERS "
    "and others; a project keeps its own in the table [tool.jobmill] of pyproject.toml. "
    "Any command takes --debug, which shows where an error comes from. "
    "Exit codes: 0 done, 1 refused or unreachable, 2 wrong use or settings, "
    "3 the awaited job did not succeed, 130 interrupted."
)


def build_app() -> App:
    """Return the application; nothing of the commands themselves is imported by it."""
    app = App(
        name="jobmill",
        help="Durable background jobs: stored before they are accepted, run at least once, never lost.",
        help_epilogue=_EPILOGUE,
        help_format="plaintext",
        version_flags=(),
        suppress_keyboard_interrupt=False,
        # An argument is what it says: no list in JSON, which would be read without our bounds.
        default_parameter=Parameter(negative=(), show_default=False, json_list=False, json_dict=False),
        group_commands=_OTHER,
    )
    for rank, (group, name, where, line) in enumerate(_COMMANDS):
        path = f"jobmill.entrypoints.cli.{where}"
        quiet = {} if where.endswith(":app") else {"help_epilogue": ""}
        app.command(path, name=name, help=line, group=group, sort_key=rank, **quiet)
    return app
