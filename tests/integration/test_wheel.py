"""The wheel as a user has it: installed beside a project with rooms of its own, without a network."""

import os
import zipfile
from pathlib import Path

from tests.fixtures.wheel import ROOT, run
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

TEMPLATE = ROOT / "entrypoints" / "cli" / "project_template"
ROOMS = ("domain", "application", "adapters", "entrypoints")

USERS_SCRIPT = """
import application
import domain
import jobmill
import jobmill.domain

assert domain.OWNER == application.OWNER == "the user"
assert not hasattr(jobmill.domain, "OWNER")
print(jobmill.__file__)
print(jobmill.domain.__file__)
"""


def test_the_wheel_has_the_rooms_inside_jobmill_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.partition("/")[0] for name in names}
    assert {"jobmill", "jobmill-0.1.0.dist-info"} == tops
    assert {f"jobmill/{room}/__init__.py" for room in ROOMS} <= set(names)
    assert {"jobmill/__init__.py", "jobmill/py.typed", "jobmill/adapters/redis/token_bucket.lua"} <= set(
        names
    )
    assert len(names) == len(set(names))


def test_every_module_of_the_clone_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    written = {f"jobmill/{path.relative_to(ROOT)}" for room in ROOMS for path in (ROOT / room).rglob("*.py")}

    assert written <= names


def test_the_template_of_a_new_project_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    written = {f"jobmill/{path.relative_to(ROOT)}" for path in TEMPLATE.rglob("*") if path.is_file()}

    assert len(written) == 6
    assert written <= names


def test_the_users_own_rooms_do_not_collide_with_ours(python: Path, tmp_path: Path) -> None:
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "__init__.py").write_text('OWNER = "the user"\n')
    (tmp_path / "application.py").write_text('OWNER = "the user"\n')
    (tmp_path / "script.py").write_text(USERS_SCRIPT)

    places = run(str(python), "script.py", cwd=tmp_path).split()

    installed = python.parents[1]
    assert [Path(place).is_relative_to(installed) for place in places] == [True, True]


USERS_HANDLERS = """
from attrs import frozen
from jobmill import JobHandlers
from domain.pictures import shrink

handlers = JobHandlers()


@frozen
class Thumbnail:
    picture: str
    width: int = 320


@handlers.register("thumbnail.make")
async def make_thumbnail(order: Thumbnail) -> dict[str, str]:
    return {"path": shrink(order.picture, order.width)}
"""


async def test_the_users_handlers_run_from_the_installed_wheel(python: Path, tmp_path: Path) -> None:
    """A project whose rooms have the same names as ours, started by the installed command."""
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "pictures.py").write_text('def shrink(name, width): return f"{width}/{name}"\n')
    (tmp_path / "application.py").write_text(USERS_HANDLERS)
    jobmill = str(python.with_name("jobmill"))
    [port] = free_ports(1)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("JOBMILL_")}
    env = {**kept, "JOBMILL_HANDLERS": "application", "JOBMILL_PORT": str(port)}
    mill = ServerProcess.start([jobmill, "up"], log=tmp_path / "up.log", cwd=tmp_path, env=env)
    try:

        async def serves() -> bool:
            return "thumbnail.make" in (tmp_path / "up.log").read_text()

        assert await until(serves, within_s=30, hopeless=lambda: mill.has_ended), mill.last_words()
        submit = [jobmill, "submit", "thumbnail.make", '{"picture": "a.png"}', "--wait", "--json"]
        log = tmp_path / "submit.log"
        submitted = ServerProcess.start(submit, log=log, cwd=tmp_path, env=env)
        code = await submitted.wait(within_s=30)
    finally:
        await mill.kill()

    assert code == 0, log.read_text()
    assert '"result":{"path":"320/a.png"}' in log.read_text()
