"""Settings are read once, checked whole, and keep their secrets."""

from datetime import timedelta
from pathlib import Path

import pytest

from jobmill.application.fair_queues import FairQueues
from jobmill.entrypoints.configuration_page import PAGE, configuration_page
from jobmill.entrypoints.settings import Settings, WrongSettings

ROOT = Path(__file__).parents[3]


def test_nothing_set_is_the_embedded_default() -> None:
    settings = Settings.from_env({"PATH": "/bin"})

    assert settings.database_url == "sqlite:///.jobmill/jobmill.db"
    assert settings.is_embedded
    assert settings.is_local
    assert (settings.port, settings.concurrency, settings.shutdown_grace_s) == (3000, 100, 25)


def test_the_database_follows_the_home() -> None:
    settings = Settings.from_env({"JOBMILL_HOME": "/var/lib/mill"})

    assert settings.database_url == "sqlite:////var/lib/mill/jobmill.db"


def test_lists_are_split_at_commas() -> None:
    settings = Settings.from_env(
        {"JOBMILL_BROKER_URL": "amqp://a/, amqps://b/", "JOBMILL_HANDLERS": "shop.jobs, shop.more:extra"}
    )

    assert settings.broker_url == ("amqp://a/", "amqps://b/")
    assert settings.handlers == ("shop.jobs", "shop.more:extra")
    assert not settings.is_embedded


def test_an_empty_value_is_no_value() -> None:
    assert Settings.from_env({"JOBMILL_PORT": ""}).port == 3000


def test_all_faults_are_told_at_once_and_a_near_miss_is_named() -> None:
    with pytest.raises(WrongSettings) as refused:
        Settings.from_env(
            {
                "JOBMILL_BROKER_ULR": "amqp://x/",
                "JOBMILL_PORT": "0",
                "JOBMILL_OPEN": "yes",
                "JOBMILL_DATABASE_URL": "mysql://x/",
                "JOBMILL_BROKER_URL": "memory://,amqp://x/",
                "JOBMILL_LOG": "loud",
                "JOBMILL_PREFIX": "a.b",
                "JOBMILL_CONCURRENCY": "ten",
            }
        )

    assert str(refused.value).splitlines() == [
        "JOBMILL_BROKER_ULR: no such setting; did you mean JOBMILL_BROKER_URL?",
        "JOBMILL_BROKER_URL: must be memory:// or one or more of amqp:// and amqps://, "
        "with commas between them",
        "JOBMILL_CONCURRENCY: must be a whole number from 1 to 10,000",
        "JOBMILL_DATABASE_URL: must begin with postgresql:// or sqlite:///",
        "JOBMILL_LOG: must be one of debug, info, warning, error",
        "JOBMILL_OPEN: must be 0 or 1",
        "JOBMILL_PORT: must be a whole number from 1 to 65,535",
        "JOBMILL_PREFIX: must be 1 to 50 letters, digits, dashes or underscores",
    ]


@pytest.mark.parametrize("name", ["JOBMILL_TEST_AMQP_URL", "JOBMILL_BENCH_X", "JOBMILL_CHAOS_MINUTES"])
def test_names_for_tests_and_benchmarks_are_left_alone(name: str) -> None:
    assert Settings.from_env({name: "anything"}) == Settings.from_env({})


def test_a_name_far_from_all_others_gets_the_list_of_them() -> None:
    with pytest.raises(WrongSettings, match="known are JOBMILL_BROKER_URL, "):
        Settings.from_env({"JOBMILL_ZZZZZZZZZZ": "1"})


def test_secrets_are_not_printed() -> None:
    settings = Settings.from_env(
        {
            "JOBMILL_DATABASE_URL": "postgresql://app:hush@db/app",
            "JOBMILL_BROKER_URL": "amqp://app:hush@mq/",
            "JOBMILL_SMTP_URL": "smtp://app:hush@mail/",
        }
    )

    assert "hush" not in repr(settings)


@pytest.mark.parametrize(("host", "is_local"), [("::1", True), ("localhost", True), ("0.0.0.0", False)])
def test_loopback_is_local(host: str, is_local: bool) -> None:
    assert Settings.from_env({"JOBMILL_HOST": host}).is_local is is_local


def test_the_page_of_settings_is_the_one_the_code_makes() -> None:
    assert (ROOT / PAGE).read_text() == configuration_page()


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1h", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
        ("36500d", timedelta(days=36_500)),
        ("Never", None),
    ],
)
def test_how_long_things_are_kept_is_written_in_hours_or_days(text: str, span: timedelta | None) -> None:
    settings = Settings.from_env({"JOBMILL_RETENTION_DONE": text, "JOBMILL_RETENTION_DEAD": text})

    assert (settings.retention.done, settings.retention.dead) == (span, span)


@pytest.mark.parametrize(
    "text", ["0", "0h", "72", "36501d", "1.5d", "90m", "1d12h", "-1d", "for ever", "9999999d"]
)
def test_any_other_time_to_keep_is_refused(text: str) -> None:
    with pytest.raises(WrongSettings, match="JOBMILL_RETENTION_DONE: must be hours or days"):
        Settings.from_env({"JOBMILL_RETENTION_DONE": text})


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("calls", {"calls": 8}),
        ("calls:2,emails:32, sms", {"calls": 2, "emails": 32, "sms": 8}),
    ],
)
def test_fair_queues_are_named_with_their_shares(text: str, shares: dict[str, int]) -> None:
    assert Settings.from_env({"JOBMILL_FAIR_QUEUES": text}).fair_queues == FairQueues(shares=shares)


def test_a_table_may_list_fair_queues() -> None:
    settings = Settings.from_env({}, table={"fair_queues": ["calls", "emails:16"]})

    assert settings.fair_queues == FairQueues(shares={"calls": 8, "emails": 16})


@pytest.mark.parametrize(
    "text",
    [",", "calls:", "calls:1", "calls:33", "calls:8:8", "calls:-2", ":8", "Calls", "dead", "a,a", "a:2,a"],
)
def test_any_other_fair_queue_is_refused(text: str) -> None:
    with pytest.raises(WrongSettings, match="JOBMILL_FAIR_QUEUES: must be queues like calls,emails:16"):
        Settings.from_env({"JOBMILL_FAIR_QUEUES": text})
