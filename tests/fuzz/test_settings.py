"""Every setting with every kind of wrong value: a line that names it and the mend, and no start."""

from random import Random
from typing import Final

import pytest
from attrs import fields

from jobmill.entrypoints.cli.exits import Exit
from jobmill.entrypoints.settings import PREFIX, Settings, WrongSettings

from tests.fuzz.conftest import Tried
from tests.fuzz.strategies import EVIL_TEXTS, damage
from tests.unit.entrypoints.cli.mill import Mill

NAMES: Final = [PREFIX + one.name.upper() for one in fields(Settings)]
#: Wrong for every setting, of whatever kind.
WRONG_ANYWHERE: Final = ("a\x1b[31mb", "a\nb", "a\x00b", "\udcff", "a\x7f", "\u2028", "x" * 5_000)
#: Right ones, to be damaged.
RIGHT: Final = tuple(
    text.encode()
    for text in (
        "127.0.0.1",
        "3000",
        "1",
        ".jobmill",
        "postgresql://app:secret@db.example:5432/shop?sslmode=require",
        "sqlite:///jobmill.db",
        "amqp://app:secret@mq:5672/vhost,amqps://other/",
        "jobmill",
        "shop.jobs,shop.more:handlers",
        "smtp://app:secret@mail:25",
        "rediss://app:secret@cache:6379/0",
        "10.1.0.0/16,fd00::/8",
        "twilio://AC1:secret@api.twilio.com?from=+15550100123",
        "webpush://?private_key=secret&subject=mailto:a@b.example,simulate://?latency_s=1",
        "shop=whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0,b=whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
        "warning",
        "json",
    )
)
#: Right tables of a project, likewise.
PROJECTS: Final = (
    b'[tool.jobmill]\nhandlers = ["shop.jobs", "more:one"]\nport = 3001\nopen = true\n',
    b'[tool.jobmill]\ndatabase_url = "postgresql://app:hush@db/shop"\nlog = "debug"\nconcurrency = 7\n',
    b'[project]\nname = "shop"\n[tool.ruff]\nline-length = 100\n[tool.jobmill]\nprefix = "shop"\n',
)
CASES: Final = 200
#: Settings of what has no value that is wrong in form: any text names some folder.
ANY_TEXT: Final = {"JOBMILL_HOME", "JOBMILL_TEMPLATES"}
#: For commands that read settings, use them, and come to an end.
USED_BY: Final = {
    "JOBMILL_HOME": (["migrate"], ["/dev/null", "/proc/nowhere", "/dev/null/below"]),
    "JOBMILL_DATABASE_URL": (
        ["migrate"],
        [
            "sqlite:////proc/nowhere/x.db",
            "postgresql://u:secret@h/d?colour=red",
            "postgresql://h:x/",
            "sqlite://",
        ],
    ),
    "JOBMILL_BROKER_URL": (
        ["topology", "plan"],
        ["amqp://", "amqp://[", "amqp://u:secret:x/", "amqp://h:99999/", "amqp://u:secret@h/?heartbeat=1"],
    ),
    "JOBMILL_HANDLERS": (["types"], [".", "..", ":x", "x:", "a..b", "/etc", "no.such", "os", "os:path"]),
    "JOBMILL_SMTP_URL": (["types"], ["x", "smtp://", "smtp://u:secret@", "smtp://h:99999", "http://h"]),
    "JOBMILL_SMS_URL": (["types"], ["x", "twilio://", "twilio://u:secret@", "http://h", "fcm:///x"]),
    "JOBMILL_PUSH_URL": (["types"], ["x", "fcm", "smtp://u:secret@h", "webpush://["]),
    "JOBMILL_WEBHOOK_SECRETS": (["types"], ["x", "whsec_secret", "shop=secret", "shop=whsec_secret", ","]),
    "JOBMILL_WEBHOOK_NETWORKS": (["types"], ["x", "10.0.0.0/99", "10.0.0.1/8", ","]),
    "JOBMILL_HOST": (["up"], ["x y", "0.0.0.0.0", "::::", "/dev/null", "http://localhost"]),
}


@pytest.mark.parametrize("name", NAMES)
def test_any_text_is_a_value_or_is_refused_by_its_name(name: str, tried: Tried, factor: int) -> None:
    raws = [damage(Random(seed), RIGHT) for seed in range(CASES * factor)]
    damaged = [raw.decode("utf-8", "surrogateescape") for raw in raws]
    cases = [text for text in (*EVIL_TEXTS, *WRONG_ANYWHERE, "-1", "9" * 400, *damaged) if text]
    refused = 0

    for text in cases:
        try:
            Settings.from_env({name: text})
        except WrongSettings as refusal:
            refused += 1
            [line] = str(refusal).splitlines()
            assert line.startswith(f"{name}: "), (text, line)
            assert "secret" not in line
        else:
            assert text not in WRONG_ANYWHERE

    assert refused >= len(WRONG_ANYWHERE)
    assert refused > len(cases) / 2 or name in ANY_TEXT
    tried(len(cases))


def test_any_file_of_a_project_is_settings_or_is_refused_by_its_name(
    bare_folder: Mill, tried: Tried, factor: int
) -> None:
    file, refusals = bare_folder.folder / "pyproject.toml", list[str]()
    for seed in range(CASES * factor):
        file.write_bytes(damage(Random(seed), PROJECTS))
        try:
            Settings.here({})
        except WrongSettings as refusal:
            refusals.append(str(refusal))

    told = [line for refusal in refusals for line in refusal.splitlines()]
    assert [line for line in told if not line.startswith("pyproject.toml") or "hush" in line] == []
    assert CASES * factor / 4 < len(refusals) < CASES * factor
    tried(CASES * factor)


@pytest.mark.parametrize("name", USED_BY)
def test_a_command_that_meets_a_wrong_setting_says_which_and_ends(
    name: str, bare_folder: Mill, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    command, wrong = USED_BY[name]
    for text in wrong:
        monkeypatch.setenv(name, text)

        told = bare_folder.run(*command)

        assert told.code == Exit.WRONG_USE, (text, told)
        assert "unexpected" not in told.err
        assert "Traceback" not in told.err
        assert "secret" not in told.err
        assert told.err.startswith("jobmill: ")
    tried(len(wrong))
