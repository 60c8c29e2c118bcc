"""The user's handlers are found by the names of their modules."""

import sys
from pathlib import Path

import pytest

from jobmill.entrypoints.loading import HandlersNotFound, load_handlers

MODULE = """
from jobmill import JobHandlers
handlers = JobHandlers()
more = JobHandlers()
again = more

@handlers.register("shop.one")
async def one(payload: dict) -> None: ...

@more.register("shop.two")
async def two(payload: dict) -> None: ...
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_a_module_gives_every_collection_in_it_once(project: Path) -> None:
    (project / "shop_a.py").write_text(MODULE)

    collections = load_handlers(["shop_a"])

    assert [declared.name for each in collections for declared in each] == ["shop.one", "shop.two"]


def test_one_collection_can_be_named(project: Path) -> None:
    (project / "shop_b.py").write_text(MODULE)

    [collection] = load_handlers(["shop_b:more", "shop_b:more"])

    assert [declared.name for declared in collection] == ["shop.two"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.jobs", "no module 'nowhere.jobs'; looked in"),
        ("shop_c:missing", "'missing' in 'shop_c' is no JobHandlers"),
        ("empty", "'empty' declares no handlers; it needs 'handlers = JobHandlers\\(\\)'"),
        ("needy", "'needy' needs 'not_installed', which is missing"),
        ("broken", "'broken' cannot be imported: cannot import name 'nothing'"),
        ("unreadable", "'unreadable' cannot be imported: .*unreadable.py, line 2"),
    ],
)
def test_what_cannot_be_loaded_is_named_with_the_reason(project: Path, name: str, said: str) -> None:
    (project / "shop_c.py").write_text(MODULE)
    (project / "empty.py").write_text("")
    (project / "needy.py").write_text("import not_installed")
    (project / "unreadable.py").write_text("x = 1\ndef x(:")
    (project / "broken.py").write_text("from os import nothing")

    with pytest.raises(HandlersNotFound, match=said):
        load_handlers([name])
