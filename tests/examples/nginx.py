"""An nginx from the binary of this machine, with an example's own configuration."""

import grp
import os
import pwd
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.examples.copied import Example
from tests.servers.errors import NoServer
from tests.servers.process import ServerProcess

#: What `nginx.conf` of the image says around the file of the example; everything is kept in one folder.
AROUND = """
daemon off;
user {user} {group};
pid {place}/nginx.pid;
error_log stderr;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    include {place}/example.conf;
}}
"""


@asynccontextmanager
async def nginx(
    example: Example, place: Path, *, port: int, service: str, behind: Sequence[int]
) -> AsyncGenerator[ServerProcess]:
    """Start nginx in front of local ports, as the file ``nginx.conf`` has it in front of a service.

    Args:
        port: where it listens, instead of the port of the container.
        service: the server as the file names it: ``api:8000``.
        behind: the ports of the processes that stand for the replicas of the service.

    Raises:
        NoServer: nginx is not installed here.
    """
    binary = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
    if binary is None:
        raise NoServer("no nginx on the search path")
    _configure(example, place, port=port, service=service, behind=behind)
    process = example.start(f"exec {binary} -p {place} -e stderr -c {place}/whole.conf", log="nginx")
    try:
        yield process
    finally:
        await process.kill()


def _configure(example: Example, place: Path, *, port: int, service: str, behind: Sequence[int]) -> None:
    place.mkdir()
    conf = (example.folder / "nginx.conf").read_text()
    [line] = [line for line in conf.splitlines() if f"server {service}" in line]
    replicas = "\n".join(line.replace(service, f"127.0.0.1:{each}") for each in behind)
    conf = conf.replace(line, replicas).replace("listen 8080;", f"listen 127.0.0.1:{port};")
    (place / "example.conf").write_text(conf)
    (place / "whole.conf").write_text(AROUND.format(place=place, user=_user(), group=_group()))


def _user() -> str:
    """Who runs the tests: a request's body that is large goes to a folder which nobody else may enter."""
    return pwd.getpwuid(os.getuid()).pw_name


def _group() -> str:
    return grp.getgrgid(os.getgid()).gr_name
