"""``jobmill new``: a whole project or none."""

from pathlib import Path

import pytest

from jobmill.entrypoints.cli import new
from jobmill.entrypoints.cli.exits import Exit

from tests.unit.entrypoints.cli.mill import Mill

FILES = {
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "shop/__init__.py",
    "shop/jobs.py",
    "tests/test_jobs.py",
}


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_project_has_handlers_tests_settings_and_a_readme(bare_folder: Mill) -> None:
    told = bare_folder.run("new", "shop")

    assert (told.code, told.err) == (Exit.DONE, "")
    assert files_in(bare_folder.folder / "shop") == FILES
    assert [path.name for path in bare_folder.folder.iterdir()] == ["shop"]


def test_every_file_carries_the_name_and_no_placeholder(bare_folder: Mill) -> None:
    bare_folder.run("new", "corner_shop")

    for path in (bare_folder.folder / "corner_shop").rglob("*"):
        assert "@NAME@" not in (path.read_text() if path.is_file() else "")
        assert not path.name.endswith(".template")
    assert "from corner_shop.jobs import" in Path("corner_shop/tests/test_jobs.py").read_text()


def test_its_types_are_known_to_the_commands_in_its_folder(
    bare_folder: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare_folder.run("new", "corner_shop")
    monkeypatch.chdir("corner_shop")

    told = bare_folder.run("types")

    assert {"thumbnail.make", "greeting.send"} <= {line.split()[0] for line in told.lines}


def test_the_next_commands_are_printed_as_they_are_to_be_typed(
    bare_folder: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = bare_folder.folder / "env" / "bin" / "jobmill"
    installed.parent.mkdir(parents=True)
    installed.touch(mode=0o755)
    monkeypatch.setattr("sys.argv", [str(installed)])

    told = bare_folder.run("new", "shop")

    assert told.lines[1:] == [
        "  cd shop",
        "  ../env/bin/jobmill up --reload",
        "then, in a second terminal in shop/",
        """  ../env/bin/jobmill submit thumbnail.make '{"picture": "a.png"}' --wait""",
        "more in README.md",
    ]


def test_what_is_on_the_path_needs_no_folder(bare_folder: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = bare_folder.folder / "bin" / "jobmill"
    installed.parent.mkdir()
    installed.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(installed.parent))

    assert new.next_commands("shop", installed)[1] == "  jobmill up --reload"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("my-shop", "did you mean my_shop?"),
        ("Shop", "did you mean shop?"),
        ("../shop", "did you mean shop?"),
        ("7", "a letter first"),
        ("", "a letter first"),
        ("a" * 51, "must be 1 to 50"),
        ("class", "a word of the language"),
        ("json", "a module already"),
        ("attrs", "a module already"),
        ("jobmill", "a module already"),
        ("tests", "a module already"),
    ],
)
def test_a_name_that_can_be_no_package_of_ones_own_is_refused_with_the_mend(
    bare_folder: Mill, name: str, told: str
) -> None:
    answer = bare_folder.run("new", name)

    assert answer.code == Exit.WRONG_USE
    assert answer.err.startswith("jobmill: NAME ")
    assert told in answer.err
    assert list(bare_folder.folder.iterdir()) == []


def test_a_folder_that_has_something_in_it_stays_as_it_is(bare_folder: Mill) -> None:
    Path("shop").mkdir()
    Path("shop/mine.txt").write_text("mine")

    answer = bare_folder.run("new", "shop")

    assert answer.code == Exit.REFUSED
    assert answer.err == "jobmill: shop is there already; choose another name, or remove it\n"
    assert files_in(bare_folder.folder) == {"shop/mine.txt"}


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_stays_as_it_is(bare_folder: Mill, kind: str) -> None:
    if kind == "file":
        Path("shop").touch()
    else:
        Path("shop").symlink_to("nowhere")

    assert bare_folder.run("new", "shop").code == Exit.REFUSED
    assert [path.name for path in bare_folder.folder.iterdir()] == ["shop"]


def test_an_empty_folder_is_filled(bare_folder: Mill) -> None:
    Path("shop").mkdir()

    assert bare_folder.run("new", "shop").code == Exit.DONE
    assert files_in(Path("shop")) == FILES


def test_nothing_half_made_is_left(bare_folder: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)

    answer = bare_folder.run("new", "shop")

    assert answer.err == "jobmill: shop cannot be made: No space left on device\n"
    assert list(bare_folder.folder.iterdir()) == []


def test_a_folder_filled_meanwhile_stays_as_it_is(bare_folder: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("shop").mkdir()
    look = new._is_empty_folder

    def look_and_lose_the_race(path: Path) -> bool:
        empty = look(path)
        Path("shop/mine.txt").write_text("mine")
        return empty

    monkeypatch.setattr(new, "_is_empty_folder", look_and_lose_the_race)

    assert bare_folder.run("new", "shop").code == Exit.REFUSED
    assert files_in(bare_folder.folder) == {"shop/mine.txt"}
