"""The mail outbox: a file for each mail, whole, and readable by its owner only."""

import asyncio
import os
import stat
from email import message_from_bytes
from pathlib import Path

import pytest

from jobmill.adapters.mail_outbox import MailOutbox
from jobmill.adapters.memory.clocks import ManualClock
from jobmill.application.ports.providers import ProviderUnavailable

from tests.builders import an_id
from tests.integration.providers.mails import a_mail


def an_outbox(folder: Path) -> MailOutbox:
    return MailOutbox(folder=folder, clock=ManualClock())


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_mail_becomes_a_file_named_for_its_job(tmp_path: Path) -> None:
    mail = a_mail()

    await an_outbox(tmp_path).send(mail)

    [file] = files_in(tmp_path)
    assert file.name == f"{mail.job_id}.eml"
    message = message_from_bytes(file.read_bytes())
    assert (message["From"], message["To"]) == ("jobmill@localhost", "ada@example.com")
    assert message["Message-ID"] == f"<{mail.job_id}@localhost>"


async def test_the_result_is_the_path_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mail = a_mail()

    assert await an_outbox(Path(".jobmill/outbox")).send(mail) == {
        "outbox": f".jobmill/outbox/{mail.job_id}.eml"
    }
    assert (tmp_path / f".jobmill/outbox/{mail.job_id}.eml").is_file()


async def test_a_whole_path_is_shortened_where_it_lies_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    below, beside = a_mail(), a_mail()

    assert await an_outbox(tmp_path / "here/out").send(below) == {"outbox": f"out/{below.job_id}.eml"}
    assert await an_outbox(tmp_path / "out").send(beside) == {
        "outbox": str(tmp_path / f"out/{beside.job_id}.eml")
    }


async def test_nobody_but_the_owner_can_look_inside(tmp_path: Path) -> None:
    permissive = os.umask(0)
    try:
        await an_outbox(tmp_path / "outbox").send(a_mail())
    finally:
        os.umask(permissive)

    [file] = files_in(tmp_path / "outbox")
    assert (mode(tmp_path / "outbox"), mode(file)) == (0o700, 0o600)


async def test_a_later_attempt_replaces_the_file(tmp_path: Path) -> None:
    job_id = an_id()
    outbox = an_outbox(tmp_path)

    await outbox.send(a_mail(job_id=job_id, body="first"))
    await outbox.send(a_mail(job_id=job_id, body="second"))

    [file] = files_in(tmp_path)
    assert file.read_bytes().endswith(b"second\r\n")


async def test_two_attempts_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    job_id = an_id()
    outbox = an_outbox(tmp_path)

    await asyncio.gather(*(outbox.send(a_mail(job_id=job_id, body=str(n) * 9_000)) for n in range(8)))

    [file] = files_in(tmp_path)
    body = message_from_bytes(file.read_bytes()).get_payload(decode=True)
    assert isinstance(body, bytes)
    assert len(set(body.strip())) == 1


async def test_a_folder_that_cannot_be_written_may_be_mended(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("not a folder")

    with pytest.raises(ProviderUnavailable, match="cannot write to the mail outbox"):
        await an_outbox(tmp_path / "outbox").send(a_mail())


async def test_what_could_not_be_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    mail = a_mail()
    (tmp_path / f"{mail.job_id}.eml").mkdir()  # in the way of the file

    with pytest.raises(ProviderUnavailable):
        await an_outbox(tmp_path).send(mail)

    assert [entry.name for entry in files_in(tmp_path)] == [f"{mail.job_id}.eml"]
