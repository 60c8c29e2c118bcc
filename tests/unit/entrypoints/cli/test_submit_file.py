"""``jobmill submit --file``: what is stored, what is rejected and where, what is told."""

import json

import pytest

from jobmill.entrypoints.cli.exits import Exit

from tests.unit.entrypoints.cli.line_files import REJECTED, lines_of, pictures, rejected, submitted, type_in
from tests.unit.entrypoints.cli.mill import Mill


def test_each_line_becomes_a_job_and_the_last_line_says_how_many(shop: Mill) -> None:
    told = submitted(shop, text=lines_of("a", "b", "a"))

    assert told.code == Exit.DONE
    [summary] = told.lines
    assert summary.startswith("3 accepted, 0 already there, 0 rejected, ")
    assert summary.endswith(" a second")
    assert told.err == ""
    assert pictures(shop) == ["a", "a", "b"]
    assert not (shop.folder / REJECTED).exists()


def test_the_same_file_again_submits_nothing_and_a_longer_one_what_is_new(shop: Mill) -> None:
    submitted(shop, text=lines_of("a", "b"))

    again = submitted(shop, "--priority", "low")
    longer = submitted(shop, text=lines_of("a", "b", "c"))

    assert again.lines[0].startswith("0 accepted, 2 already there, 0 rejected, ")
    assert longer.lines[0].startswith("1 accepted, 2 already there, 0 rejected, ")
    assert pictures(shop) == ["a", "b", "c"]


def test_the_same_lines_under_another_name_are_other_jobs(shop: Mill) -> None:
    submitted(shop, "--idempotency-key", "monday", text=lines_of("a"))

    told = [submitted(shop, "--idempotency-key", day).lines[0][:10] for day in ("monday", "tuesday")]

    assert told == ["0 accepted", "1 accepted"]


def test_line_breaks_of_another_system_make_no_other_lines(shop: Mill) -> None:
    submitted(shop, text=lines_of("a", "b"))

    told = submitted(shop, text="\ufeff" + lines_of("a", "b").replace("\n", "\r\n"))

    assert told.lines[0].startswith("0 accepted, 2 already there")


def test_bad_lines_are_written_down_with_all_reasons_and_the_others_go_on(shop: Mill) -> None:
    text = b'{"picture":"a"}\n\n{"picture":3,"x":1}\nnonsense\n{"picture":"\xff"}\n{"picture":"b"}'

    told = submitted(shop, text=text)

    assert told.code == Exit.REFUSED
    assert told.lines[0].startswith(f"2 accepted, 0 already there, 3 rejected ({REJECTED}), ")
    assert pictures(shop) == ["a", "b"]
    wrong, nonsense, bytes_ = rejected(shop)
    assert (wrong["line"], wrong["text"]) == (3, '{"picture":3,"x":1}')
    assert [each["pointer"] for each in wrong["reasons"]] == ["/picture", "/x"]
    assert (nonsense["line"], nonsense["text"]) == (4, "nonsense")
    assert nonsense["reasons"][0]["detail"].startswith("is not JSON at line 1, column 1")
    assert bytes_["text"] == '{"picture":"\\xff"}'
    assert bytes_["reasons"] == [{"pointer": "", "detail": "is not UTF-8 at byte 12"}]


def test_a_line_beyond_all_bounds_is_a_rejected_line(shop: Mill) -> None:
    told = submitted(shop, text=lines_of("a") + f'{{"picture":"{"x" * 500_000}"}}\n' + lines_of("b"))

    assert told.lines[0].startswith("2 accepted, 0 already there, 1 rejected")
    [line] = rejected(shop)
    assert (line["line"], line["is_cut"], len(line["text"])) == (2, True, 1_000)
    assert line["reasons"][0]["detail"].startswith("has more than 131,072 bytes")


def test_of_a_line_with_very_many_faults_some_are_told(shop: Mill) -> None:
    names = ",".join(f'"n{at}":1' for at in range(400))

    submitted(shop, text=f'{{"picture":"a",{names}}}\n')

    reasons = rejected(shop)[0]["reasons"]
    assert (len(reasons), reasons[-1]) == (101, {"pointer": "", "detail": "and 300 more"})


def test_what_an_earlier_run_rejected_goes_with_the_next(shop: Mill) -> None:
    submitted(shop, text="bad\nworse\n")
    assert len(rejected(shop)) == 2

    submitted(shop, text="bad\n" + lines_of("b"))
    assert [each["line"] for each in rejected(shop)] == [1]

    submitted(shop, text=lines_of("a", "b"))
    assert not (shop.folder / REJECTED).exists()


def test_another_place_for_rejected_lines_can_be_named(shop: Mill) -> None:
    told = submitted(shop, "--rejected", "bad.txt", text="bad\n")

    assert "1 rejected (bad.txt)" in told.lines[0]
    assert [each["line"] for each in rejected(shop, "bad.txt")] == [1]
    assert not (shop.folder / REJECTED).exists()


def test_lines_come_from_standard_input_and_rejected_ones_go_to_standard_error(
    shop: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, (lines_of("a") + "bad\n").encode())

    told = shop.run("submit", "thumbnail.make", "--file", "-")

    assert told.code == Exit.REFUSED
    assert told.lines[0].startswith("1 accepted, 0 already there, 1 rejected (told above), ")
    assert json.loads(told.err)["line"] == 2

    type_in(monkeypatch, (lines_of("a") + "bad\n").encode())
    again = shop.run("submit", "thumbnail.make", "--file", "-", "--rejected", "bad.txt")

    assert again.lines[0].startswith("0 accepted, 1 already there, 1 rejected (bad.txt), ")
    assert again.err == ""


def test_a_dry_run_checks_every_line_and_stores_none(shop: Mill) -> None:
    told = submitted(shop, "--dry-run", text=lines_of("a", "b") + "bad\n")

    assert told.code == Exit.REFUSED
    assert told.lines[0].startswith(f"2 valid, 1 rejected ({REJECTED}), ")
    assert told.lines[0].endswith("; nothing was stored")
    assert pictures(shop) == []


def test_what_came_of_it_can_be_had_as_json(shop: Mill) -> None:
    [told] = submitted(shop, "--json", text=lines_of("a", "b") + "bad\n").records

    seconds, pace = told.pop("seconds"), told.pop("per_second")
    assert 3 / seconds == pytest.approx(pace, rel=0.1)
    assert told == {
        "lines": 3,
        "accepted": 2,
        "already_there": 0,
        "rejected": 1,
        "rejected_in": REJECTED,
    }


def test_options_hold_for_every_line(shop: Mill) -> None:
    submitted(shop, "--tag", "import", "--priority", "low", "--delay", "1h", text=lines_of("a", "b"))

    jobs = shop.run("jobs", "--json").records
    assert {(job["priority"], *job["tags"], job["status"]) for job in jobs} == {
        ("low", "import", "scheduled")
    }
    assert len(jobs) == 2


def test_lines_that_follow_a_job_wait_for_it(shop: Mill) -> None:
    first = shop.run("submit", "simulate", "--json").records[0]["id"]

    submitted(shop, "--follows", first, text=lines_of("a", "b"))

    followers = [job for job in shop.run("jobs", "--json").records if job["follows"] == first]
    assert len(followers) == 2
