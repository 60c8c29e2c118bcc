"""What every example keeps to."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobmill.entrypoints.settings import Settings

from tests.examples.copied import CLONE, EXAMPLES
from tests.examples.printed import appear, fits, masked
from tests.examples.readme import steps_of

NAMES = sorted(path.name for path in EXAMPLES.iterdir() if (path / "Makefile").is_file())
#: What a user may import; nothing below it.
PUBLIC = {"jobmill", "jobmill.testing"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def project(name: str) -> dict[str, Any]:
    return tomllib.loads((EXAMPLES / name / "pyproject.toml").read_text())


def package(name: str) -> str:
    """The example's own package, as its Makefile has it."""
    first = (EXAMPLES / name / "Makefile").read_text().splitlines()[0]
    return first.partition(":=")[2].strip()


def compose(folder: Path, file: str = "compose.yaml") -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder / file).read_text())
    return loaded


def services(name: str) -> dict[str, dict[str, Any]]:
    """The services of an example's compose file, each laid over the one that it extends."""
    folder = EXAMPLES / name
    return {service: _whole(folder, told) for service, told in compose(folder)["services"].items()}


def _whole(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    if "extends" not in told:
        return told
    file = (folder / told["extends"]["file"]).resolve()
    below = _whole(file.parent, compose(file.parent, file.name)["services"][told["extends"]["service"]])
    joined = {**below, **told}
    for key in ("environment", "depends_on"):
        joined[key] = {**below.get(key, {}), **told.get(key, {})}
    joined["ports"] = [*below.get("ports", []), *told.get("ports", [])]
    return joined


@pytest.mark.parametrize("name", NAMES)
def test_an_example_imports_nothing_of_jobmill_but_what_is_public(name: str) -> None:
    files = list((EXAMPLES / name / package(name)).rglob("*.py"))
    named = {each for file in files for each in imported(file) if each.partition(".")[0] == "jobmill"}

    assert "jobmill" in named
    assert named <= PUBLIC


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_all_that_every_example_has(name: str) -> None:
    folder = EXAMPLES / name
    wanted = ["README.md", "compose.yaml", "pyproject.toml", "tests/test_readme.py"]
    wanted += [f"{package(name)}/{part}.py" for part in ("jobs", "load", "demo_failure")]

    assert [file for file in wanted if not (folder / file).is_file()] == []
    assert not (folder / "tests" / "__init__.py").exists(), "the tests of all examples would be one package"
    assert f"[`{name}`]({name})" in (EXAMPLES / "README.md").read_text()
    typed = [step.line or "" for step in steps_of((folder / "README.md").read_text())]
    assert {"make up", "make load", "make demo-failure"} <= {line.partition(" ARGS")[0] for line in typed}


@pytest.mark.parametrize("name", NAMES)
def test_the_clone_tests_and_checks_it(name: str) -> None:
    tools = tomllib.loads((CLONE / "pyproject.toml").read_text())["tool"]

    assert f"examples/{name}" in tools["pytest"]["ini_options"]["pythonpath"]
    assert f"examples/{name}" in tools["mypy"]["mypy_path"].split(":")
    assert {f"examples.{name}.tests", package(name)} <= set(tools["mypy"]["packages"])


@pytest.mark.parametrize("name", NAMES)
def test_its_settings_are_settings_of_jobmill(name: str) -> None:
    settings = Settings.from_env({}, table=project(name)["tool"]["jobmill"])

    assert settings.handlers == (f"{package(name)}.jobs",)


@pytest.mark.parametrize("name", NAMES)
def test_its_compose_file_names_only_what_there_is(name: str) -> None:
    folder, every = EXAMPLES / name, services(name)
    volumes = set(compose(folder).get("volumes", {}))

    for service, told in every.items():
        assert "image" in told or "build" in told, service
        assert set(told.get("depends_on", {})) <= set(every), service
        for other, condition in told.get("depends_on", {}).items():
            assert condition["condition"] != "service_healthy" or "healthcheck" in every[other], service
        for volume in told.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in volumes or (source.startswith(".") and (folder / source).exists()), volume


@pytest.mark.parametrize("name", NAMES)
def test_its_containers_are_given_settings_that_jobmill_knows(name: str) -> None:
    given = [told.get("environment", {}) for told in services(name).values()]
    of_jobmill = [each for each in given if any(key.startswith("JOBMILL_") for key in each)]

    assert of_jobmill
    for environment in of_jobmill:
        settings = Settings.from_env({key: _filled(str(text)) for key, text in environment.items()})
        assert settings.handlers == (f"{package(name)}.jobs",)
        assert not settings.is_embedded


@pytest.mark.parametrize("name", NAMES)
def test_nothing_listens_outside_this_machine(name: str) -> None:
    ports = [port for told in services(name).values() for port in told.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_a_readme_is_compared_line_by_line() -> None:
    wanted = ["made 3 in 0.12 s", "…", '{"id":"0199a4c5-2f1e-7c3a-9d00-4a5b6c7d8e9f",…}']
    right = 'made 3 in 7 s\n{}\n{"id":"01a2217b-eb66-7260-bbb6-70340c882aed","type":"x"}\n'

    assert fits(wanted, masked(right, {}))
    assert fits(["…"], [])
    assert not fits(wanted, masked(right.replace("made 3", "made 4"), {}))
    assert not fits(wanted, masked(right + "and more\n", {}))
    assert not fits(wanted, masked("before\n" + right, {}))
    assert not fits(["a"], ["a", "a"])
    assert not fits(["a", "…", "a"], ["a"])


def test_what_goes_on_printing_is_looked_through_in_its_order() -> None:
    assert appear(["a", "…", "b…"], ["x", "a", "y", "bc"])
    assert not appear(["a", "b"], ["b", "a"])


def test_ports_are_read_as_the_readme_has_them() -> None:
    assert masked("http://localhost:23456/1\n", {3000: 23456}) == ["http://localhost:3000/1"]


def test_a_block_of_a_readme_is_commands_and_what_they_print() -> None:
    text = "```console\n$ a \\\n  b\none\ntwo\n$ c\n```\n```\n$ not typed\n```\n```log\nsaid\n```\n"

    steps = [(step.line, list(step.printed)) for step in steps_of(text)]

    assert steps == [("a \\\n  b", ["one", "two"]), ("c", []), (None, ["said"])]


def _filled(text: str) -> str:
    """A text of a compose file with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-(\w*)\}", r"\1", text)
