"""The table ``[tool.jobmill]``: defaults below the environment, checked as strictly."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import jobmill
from jobmill.application.errors import SetupFault
from jobmill.entrypoints import project_file
from jobmill.entrypoints.configuration_page import PAGE
from jobmill.entrypoints.settings import Settings, WrongSettings

Project = Callable[..., None]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Writes lines into the table of the working directory's project."""
    monkeypatch.chdir(tmp_path)

    def write(*lines: str) -> None:
        (tmp_path / "pyproject.toml").write_text("\n".join(["[tool.jobmill]", *lines, ""]))

    return write


def refusal(env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(WrongSettings) as refused:
        Settings.here(env or {})
    return str(refused.value).splitlines()


def test_without_a_file_the_environment_alone_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert Settings.here({"JOBMILL_PORT": "3001"}) == Settings.from_env({"JOBMILL_PORT": "3001"})


def test_a_project_of_other_tools_sets_nothing(project: Project) -> None:
    project()
    assert Settings.here({}) == Settings()

    Path("pyproject.toml").write_text('[project]\nname = "shop"\n[tool.ruff]\nline-length = 100\n')
    assert Settings.here({}) == Settings()


def test_numbers_booleans_and_lists_are_written_as_such(project: Project) -> None:
    project(
        'handlers = ["shop.jobs", "shop.more:extra"]',
        "port = 3001",
        "open = true",
        'home = "mill"',
        'broker_url = ["amqp://a/", "amqps://b/"]',
        'webhook_networks = ["10.1.0.0/16", "fd00::/8"]',
        "metrics_port = 9500",
    )

    settings = Settings.here({})

    assert settings.handlers == ("shop.jobs", "shop.more:extra")
    assert (settings.port, settings.open, settings.metrics_port) == (3001, True, 9500)
    assert settings.database_url == "sqlite:///mill/jobmill.db"
    assert settings.broker_url == ("amqp://a/", "amqps://b/")
    assert settings.webhook_networks == "10.1.0.0/16,fd00::/8"


def test_texts_are_read_as_in_the_environment_and_empty_ones_are_unset(project: Project) -> None:
    project('port = "3001"', 'handlers = "a.b,c"', 'open = "1"', 'prefix = ""', "broker_url = []")

    settings = Settings.here({})

    assert (settings.port, settings.handlers, settings.open) == (3001, ("a.b", "c"), True)
    assert (settings.prefix, settings.is_embedded) == ("jobmill", True)


def test_the_environment_stands_above_the_table(project: Project) -> None:
    project("port = 3001", "concurrency = 5")

    settings = Settings.here({"JOBMILL_PORT": "3002"})

    assert (settings.port, settings.concurrency) == (3002, 5)


def test_all_faults_of_both_are_told_at_once_with_the_file_and_the_key(project: Project) -> None:
    project(
        'handler = ["shop.jobs"]',
        "port = true",
        "concurrency = 0",
        "shutdown_grace_s = 2.5",
        "open = 1",
        'handlers = ["shop.jobs", 7]',
        "log = 3",
        '"a\\nb" = 1',
        f"queue_jobs_max = 0x{'f' * 5_000}",
        "[tool.jobmill.prefix]",
    )

    assert refusal({"JOBMILL_LOG": "loud"}) == [
        f"pyproject.toml, [tool.jobmill] {line}"
        for line in (
            r"'a\nb': no such setting; known are " + ", ".join(sorted(Settings.__annotations__)),
            "concurrency: must be a whole number from 1 to 10,000",
            "handler: no such setting; did you mean handlers?",
            'handlers: must be a list of texts without commas, as in ["one", "two"]',
            "log: must be a text",
            "open: must be true or false",
            "port: must be a whole number",
            "prefix: must be a text",
            "queue_jobs_max: must be a whole number from 1 to 1,000,000,000",
            "shutdown_grace_s: must be a whole number",
        )
    ] + ["JOBMILL_LOG: must be one of debug, info, warning, error"]


def test_a_wrong_value_that_the_environment_replaces_is_told_all_the_same(project: Project) -> None:
    project("port = 0")

    assert refusal({"JOBMILL_PORT": "3001"}) == [
        "pyproject.toml, [tool.jobmill] port: must be a whole number from 1 to 65,535"
    ]


def test_a_secret_of_the_table_is_not_repeated(project: Project) -> None:
    project('database_url = "mysql://app:hush@db/"', 'smtp_url = ["smtp://app:hush@mail/"]')

    assert "hush" not in "".join(refusal())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[tool.jobmill", "pyproject.toml: is no TOML: "),
        (b"\xff", "pyproject.toml: must be UTF-8"),
        (b"#" * (project_file.FILE_BYTES_MAX + 1), "pyproject.toml: must have at most 1,048,576 bytes"),
        (b"[tool]\njobmill = 3", "pyproject.toml: tool.jobmill must be a table, as in [tool.jobmill]"),
        (b"a = " + b"[" * 100_000, "pyproject.toml: holds a number too long, or is nested too deep"),
        (b"a = " + b"9" * 5_000, "pyproject.toml: holds a number too long, or is nested too deep"),
    ],
    ids=["no TOML", "no text", "too large", "no table", "nested", "long number"],
)
def test_a_file_that_cannot_be_read_is_refused_by_its_name(
    project: Project, content: bytes, told: str
) -> None:
    Path("pyproject.toml").write_bytes(content)

    [line] = refusal()
    assert line.startswith(told)


@pytest.mark.parametrize("content", ["tool = 3", ""])
def test_a_file_without_tools_sets_nothing(project: Project, content: str) -> None:
    Path("pyproject.toml").write_text(content)

    assert Settings.here({}) == Settings()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pyproject.toml")

    assert Settings.here({}) == Settings()


def test_folders_above_are_not_looked_into(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project("port = 3001")
    Path("below").mkdir()
    monkeypatch.chdir("below")

    assert Settings.here({}).port == 3000


async def test_a_client_opened_without_a_url_looks_there_too(project: Project) -> None:
    project('home = "mill"')

    with pytest.raises(SetupFault, match=r"looked for \./mill/jobmill\.db"):
        await jobmill.connect().open()


def test_the_example_on_the_page_is_read(project: Project) -> None:
    page = (ROOT / PAGE).read_text()
    Path("pyproject.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])

    settings = Settings.here({})

    assert (settings.handlers, settings.port, settings.log) == (("shop.jobs",), 3001, "debug")
