"""``jobmill submit --file`` where something is wrong as a whole, or ends it early."""

import asyncio
import io
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jobmill.application.errors import QueueFull, SetupFault
from jobmill.application.submitter import Accepted, Submitter
from jobmill.entrypoints.cli.exits import Exit

from tests.unit.entrypoints.cli.line_files import FILE, REJECTED, lines_of, pictures, submitted
from tests.unit.entrypoints.cli.mill import Mill


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "is empty: a line is wanted for each job"),
        (b"\n \r\n", "holds blank lines only"),
        ('{"picture":"a"}\n'.encode("utf-16"), "is UTF-16, and has to be UTF-8; convert it, as by `iconv"),
        ('{"picture":"a"}\n'.encode("utf-16-le"), "begins with null bytes, so it is no UTF-8 text"),
        (b"\x1f\x8b\x08\x00", "is compressed; unpack it on the way"),
        (b'\n[{"picture":"a"}]\n', "begins with a list, and each line has to be an object; `jq -c '.[]'"),
    ],
)
def test_what_is_no_file_of_lines_is_told_as_a_whole(shop: Mill, text: bytes, complaint: str) -> None:
    told = submitted(shop, text=text)

    assert (told.code, told.out) == (Exit.WRONG_USE, "")
    assert f"jobmill: --file: {FILE} {complaint}" in told.err
    assert pictures(shop) == []
    assert not (shop.folder / REJECTED).exists()


@pytest.mark.parametrize(
    ("tokens", "complaint"),
    [
        (["--file", "nowhere.ndjson"], "--file: No such file or directory: nowhere.ndjson"),
        (["--file", "."], "--file: Is a directory: ."),
        (["{}", "--file", FILE], "--file goes not together with JSON"),
        (["--file", FILE, "--payload-file", "x", "--wait"], "with --payload-file and --wait"),
        (["--file", FILE, "--unique", "k"], "--file goes not together with --unique"),
        (["--dry-run"], "--rejected and --dry-run go with --file alone"),
        (["--rejected", "x"], "--rejected and --dry-run go with --file alone"),
        (["--file", FILE, "--rejected", FILE], f"--rejected: {FILE} is the file that is read; name another"),
        (["--file", FILE, "--rejected", "no/x"], "--rejected: No such file or directory: no/x; name another"),
    ],
)
def test_a_wrong_command_line_is_told_in_a_line_and_stores_nothing(
    shop: Mill, tokens: Sequence[str], complaint: str
) -> None:
    (shop.folder / FILE).write_text(lines_of("a"))

    told = shop.run("submit", "thumbnail.make", *tokens)

    assert (told.code, told.out) == (Exit.WRONG_USE, "")
    assert complaint in told.err
    assert len(told.err.splitlines()) == 1
    assert (shop.folder / FILE).read_text() == lines_of("a")
    assert pictures(shop) == []


def test_rejected_lines_are_not_written_over_what_is_read_by_another_name(
    shop: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.folder / FILE).write_text("bad\n")

    with (shop.folder / FILE).open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        told = shop.run("submit", "thumbnail.make", "--file", "-", "--rejected", FILE)

    assert told.code == Exit.WRONG_USE
    assert f"--rejected: {FILE} is the file that is read" in told.err
    assert (shop.folder / FILE).read_text() == "bad\n"


def test_a_run_that_never_begins_leaves_what_an_earlier_one_rejected(shop: Mill) -> None:
    submitted(shop, text="bad\n")

    shop.run("submit", "thumbnail.mak", "--file", FILE)

    assert (shop.folder / REJECTED).read_text().startswith('{"line":1,')


def test_an_unknown_type_is_told_once_with_the_nearest(shop: Mill) -> None:
    (shop.folder / FILE).write_text(lines_of("a", "b"))

    told = shop.run("submit", "thumbnail.mak", "--file", FILE)

    assert told.code == Exit.REFUSED
    assert told.out == ""
    assert told.err.startswith(
        "jobmill: /type: unknown type 'thumbnail.mak' (did you mean 'thumbnail.make'?); known types: "
    )
    assert len(told.err.splitlines()) == 1


def test_options_that_no_line_could_have_are_told_before_the_first(shop: Mill) -> None:
    told = submitted(shop, "--queue", "nowhere", "--tag", "", text=lines_of("a", "b"))

    assert told.code == Exit.REFUSED
    assert [line.split(":")[1] for line in told.err.splitlines()] == [" /tags/0", " /queue"]
    assert not (shop.folder / REJECTED).exists()


def test_where_there_is_no_jobmill_none_is_made(bare_folder: Mill) -> None:
    (bare_folder.folder / FILE).write_text("{}\n")

    told = bare_folder.run("submit", "simulate", "--file", FILE)

    assert told.code == Exit.REFUSED
    assert "no Jobmill here" in told.err
    assert [each.name for each in bare_folder.folder.iterdir()] == [FILE]


def test_a_full_queue_is_waited_for_and_said(shop: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    store, calls = Submitter.store, iter(range(9))

    async def full_at_first(self: Submitter, *args: Any, **more: Any) -> Sequence[Accepted]:
        if next(calls) == 0:
            error = QueueFull(queue="pictures", waiting=7, jobs_max=7)
            error.retry_after /= 1_000
            raise error
        return await store(self, *args, **more)

    monkeypatch.setattr(Submitter, "store", full_at_first)

    told = submitted(shop, text=lines_of("a"))

    assert told.code == Exit.DONE
    first, second = told.err.splitlines()
    assert first.startswith("waiting: about 7 jobs wait in the queue 'pictures', 7 may; try again later")
    assert second == "going on"


def test_trouble_ends_it_with_how_far_it_came(shop: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(*_: object, **__: object) -> Sequence[Accepted]:
        raise SetupFault("the database needs a person")

    monkeypatch.setattr(Submitter, "store", refuses)

    told = submitted(shop, text=lines_of("a"))

    assert told.code == Exit.REFUSED
    assert told.lines[0].startswith("0 accepted, 0 already there, 0 rejected, ")
    assert "stopped: the same command goes on" in told.err
    assert "jobmill: the database needs a person" in told.err


def test_ctrl_c_ends_it_with_how_far_it_came_and_the_same_command_goes_on(
    shop: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, end = os.pipe()
    os.write(end, lines_of("a", "b").encode())
    store = Submitter.store

    async def store_and_press_ctrl_c(self: Submitter, *args: Any, **more: Any) -> Sequence[Accepted]:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        return await store(self, *args, **more)

    with os.fdopen(begin, "rb") as stdin, os.fdopen(end, "wb") as typed:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stdin))
        with monkeypatch.context() as patch:
            patch.setattr(Submitter, "store", store_and_press_ctrl_c)
            told = shop.run("submit", "thumbnail.make", "--file", "-")
        typed.flush()

    assert told.code == Exit.INTERRUPTED
    assert told.lines[0].startswith("2 accepted, 0 already there, 0 rejected, ")
    assert told.err == ("stopped: the same command goes on: lines that are stored already are passed over\n")
    assert submitted(shop, text=lines_of("a", "b", "c")).lines[0].startswith("1 accepted, 2 already there")


def test_a_pipe_can_be_named_like_a_file(shop: Mill) -> None:
    begin, end = os.pipe()
    os.write(end, (lines_of("a") + "bad\n").encode())
    os.close(end)

    told = shop.run("submit", "thumbnail.make", "--file", f"/dev/fd/{begin}")
    os.close(begin)

    assert told.lines[0].startswith("1 accepted, 0 already there, 1 rejected (told above), ")
    assert not Path(f"/dev/fd/{begin}.rejected").exists()
