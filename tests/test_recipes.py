"""The recipes show the code that is tested: every block is a piece of a project in ``tests/projects``."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.projects.running import DJANGO, FASTAPI, FLASK, Project

ROOT: Final = Path(__file__).parents[1]
RECIPES: Final = ROOT / "docs" / "recipes"
PROJECTS: Final = {
    "fastapi": "fastapi_shop",
    "flask": "flask_shop",
    "django": "django_shop",
    "scripts": "scripts",
}
#: A block of Python, its first line naming the file.
BLOCK: Final = re.compile(r"^```python\n# shop/(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: What the tests need to be called otherwise.
ORDERS: Final = re.compile(r"\b(fastapi|flask|django|script)_orders\b")


def recipe(name: str) -> str:
    return (RECIPES / f"{name}.md").read_text()


def as_a_users(project: str, file: str) -> str:
    """A file of a project, as a user's own would read."""
    text = (ROOT / "tests" / "projects" / project / file).read_text()
    return ORDERS.sub("orders", text.replace(f"tests.projects.{project}", "shop"))


def test_there_is_a_project_for_every_recipe() -> None:
    assert {path.stem for path in RECIPES.glob("*.md")} == set(PROJECTS)


@pytest.mark.parametrize("name", PROJECTS)
def test_every_block_of_python_is_a_piece_of_the_tested_project(name: str) -> None:
    blocks = BLOCK.findall(recipe(name))

    assert len(blocks) == recipe(name).count("```python") > 2
    for file, block in blocks:
        assert block in as_a_users(PROJECTS[name], file), f"{file} reads otherwise in tests/projects"


@pytest.mark.parametrize(("name", "project"), [("fastapi", FASTAPI), ("flask", FLASK), ("django", DJANGO)])
def test_it_is_served_as_the_test_serves_it(name: str, project: Project) -> None:
    served = project.serve.replace(f"tests.projects.{project.name}", "shop")
    words = served.removeprefix("-m ").replace("--port", "").replace("--noreload", "").format(port="").split()

    assert " ".join(words) in recipe(name)
    assert (project.prepare or "") in recipe(name)
