"""What the clone ships for a deployment, as tests read and run it."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.examples.copied import CLONE, Example

DEPLOY: Final = CLONE / "deploy"
#: The API as the configuration of nginx names it.
API: Final = "api:3000"


def services() -> Mapping[str, dict[str, Any]]:
    """The services of ``docker-compose.yml``."""
    told: Mapping[str, dict[str, Any]] = whole_compose()["services"]
    return told


def whole_compose() -> Mapping[str, Any]:
    """The whole of ``docker-compose.yml``."""
    return loaded(CLONE / "docker-compose.yml")


def loaded(file: Path) -> dict[str, Any]:
    """A YAML file."""
    told: dict[str, Any] = yaml.safe_load(file.read_text())
    return told


def filled(text: str) -> str:
    """A text of a compose file with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-(\w*)\}", r"\1", text)


def here(place: Path, *, port: int, env: Mapping[str, str] | None = None) -> Example:
    """A copy of the folder ``deploy``, in which the stack's commands are typed.

    Its nginx listens at ``port`` and knows its processes by address: only newer ones ask a name service.
    """
    folder = place / "clone" / "deploy"
    shutil.copytree(DEPLOY, folder)
    conf = folder / "nginx.conf"
    text = conf.read_text()
    for container, machine in (
        (" resolve;", ";"),
        ("8080 default_server", f"127.0.0.1:{port} default_server"),
    ):
        assert container in text
        text = text.replace(container, machine)
    conf.write_text(text)
    return Example(name="deploy", folder=folder, env=env or {})
