"""Messages that name a template: what is refused at once, and what the template's words become."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jobmill.adapters.jinja import JinjaTemplates, open_templates
from jobmill.application.errors import WrongAddress
from jobmill.application.handlers import JobHandlers, PermanentFailure
from jobmill.application.ports.providers import Mail, PushMessage, TextMessage
from jobmill.application.ports.templates import Rendered, TemplateFault
from jobmill.application.shipped import email_handlers, push_handlers, sms_handlers

from tests.unit.application.shipped.attempts import faults_of, run_one
from tests.unit.application.shipped.providers import Recorder, alone

NUMBER = "+15550100123"
VALUES = {"name": "Ada", "lines": [{"what": "book", "cents": 1250}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "order.txt").write_text(
        "Dear {{ name }},\n{% for line in lines %}{{ line.what }}: {{ line.cents / 100 }}\n{% endfor %}"
    )
    (tmp_path / "order.subject.txt").write_text("Your order,\n  {{ name }}\n")
    (tmp_path / "bare.txt").write_text("Hello {{ name }}\n")
    (tmp_path / "long.txt").write_text("{% for _ in range(10000) %}{{ 'x' * 100 }}{% endfor %}")
    (tmp_path / "broken.txt").write_text("{% if %}")
    (tmp_path / "wrong.txt").write_text("{{ 1 / 0 }}")
    (tmp_path / "sly.txt").write_text("{{ name.__class__.__mro__ }}")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe")
    return tmp_path


@pytest.fixture
def templates(folder: Path) -> JinjaTemplates:
    return open_templates(folder)


async def test_a_template_is_filled_in_and_its_subject_is_one_line(templates: JinjaTemplates) -> None:
    assert await templates.render("order", VALUES) == Rendered(
        subject="Your order, Ada", body="Dear Ada,\nbook: 12.5\n"
    )
    assert await templates.render("bare", {"name": "<Ada>"}) == Rendered(subject=None, body="Hello <Ada>")


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("none", r"there is no template none\.txt"),
        ("bare", "'name' is undefined"),
        ("long", "longer than 100,000 characters"),
        ("broken", r"broken\.txt cannot be read"),
        ("binary", r"binary\.txt cannot be read"),
        ("wrong", "cannot be filled in: ZeroDivisionError"),
    ],
)
async def test_what_cannot_be_filled_in_says_why(templates: JinjaTemplates, name: str, because: str) -> None:
    with pytest.raises(TemplateFault, match=because):
        await templates.render(name, {})


async def test_a_template_gets_at_nothing_but_its_values(templates: JinjaTemplates) -> None:
    with pytest.raises(TemplateFault, match="unsafe"):
        await templates.render("sly", VALUES)


async def test_a_template_that_was_mended_is_read_again(folder: Path, templates: JinjaTemplates) -> None:
    with pytest.raises(TemplateFault):
        await templates.render("broken", {})
    (folder / "broken.txt").write_text("whole")

    assert (await templates.render("broken", {})).body == "whole"


def test_a_folder_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(WrongAddress, match=r"^JOBMILL_TEMPLATES: there is no folder .*missing"):
        open_templates(tmp_path / "missing")


async def test_a_mails_template_gives_its_body_and_the_subject_that_it_lacks(
    templates: JinjaTemplates,
) -> None:
    recorder = Recorder[Mail]()
    handlers = email_handlers(alone(recorder), templates)
    order = {"to": "ada@example.com", "template": "order", "values": VALUES}

    await run_one(handlers, order)
    await run_one(handlers, order | {"subject": "Mine"})

    assert [mail.subject for mail in recorder.taken] == ["Your order, Ada", "Mine"]
    assert recorder.taken[0].body.startswith("Dear Ada,")


async def test_a_text_is_what_the_template_became(templates: JinjaTemplates) -> None:
    recorder = Recorder[TextMessage]()

    await run_one(
        sms_handlers(alone(recorder), templates),
        {"to": NUMBER, "template": "bare", "values": {"name": "Ada"}},
    )

    assert recorder.taken[0].body == "Hello Ada"


async def test_a_push_takes_its_headline_from_the_template_unless_it_has_one(
    templates: JinjaTemplates,
) -> None:
    recorder = Recorder[PushMessage]()
    handlers = push_handlers(alone(recorder), templates)
    order = {"recipient": "token", "template": "order", "values": VALUES}

    await run_one(handlers, order)
    await run_one(handlers, order | {"title": "Mine"})

    assert [push.title for push in recorder.taken] == ["Your order, Ada", "Mine"]


def types(templates: JinjaTemplates | None = None) -> Mapping[str, tuple[JobHandlers, dict[str, Any]]]:
    given = [] if templates is None else [templates]
    return {
        "email": (email_handlers(alone(Recorder()), *given), {"to": "ada@example.com"}),
        "sms": (sms_handlers(alone(Recorder()), *given), {"to": NUMBER}),
        "push": (push_handlers(alone(Recorder()), *given), {"recipient": "token"}),
    }


@pytest.mark.parametrize("kind", types())
async def test_a_missing_value_or_template_is_final(kind: str, templates: JinjaTemplates) -> None:
    handlers, payload = types(templates)[kind]

    with pytest.raises(PermanentFailure, match="'name' is undefined"):
        await run_one(handlers, payload | {"template": "bare"})
    with pytest.raises(PermanentFailure, match="there is no template none"):
        await run_one(handlers, payload | {"template": "none"})


@pytest.mark.parametrize("kind", types())
async def test_where_no_folder_is_set_the_setting_is_named(kind: str) -> None:
    handlers, payload = types()[kind]

    with pytest.raises(PermanentFailure, match="set JOBMILL_TEMPLATES"):
        await run_one(handlers, payload | {"template": "bare"})


@pytest.mark.parametrize(("kind", "name"), [("sms", "order"), ("push", "bare")])
async def test_what_a_template_became_has_to_fit(kind: str, name: str, folder: Path) -> None:
    (folder / "order.txt").write_text("{{ name * 1000 }}")
    handlers, payload = types(open_templates(folder))[kind]

    with pytest.raises(PermanentFailure, match=f"the template {name} gives a .* can be sent"):
        await run_one(handlers, payload | {"template": name, "values": VALUES})


@pytest.mark.parametrize("kind", types())
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"template": "../secret"}, "/template"),
        ({"template": ""}, "/template"),
        ({"template": "a", "body": "own words"}, "/body"),
    ],
)
def test_a_template_has_a_name_and_brings_all_the_words(
    kind: str, fields: dict[str, object], place: str
) -> None:
    handlers, payload = types()[kind]

    assert list(faults_of(handlers, payload | fields)) == [place]


def test_values_go_with_a_template() -> None:
    handlers, payload = types()["email"]

    assert list(faults_of(handlers, payload | {"values": {}})) == ["/values"]
