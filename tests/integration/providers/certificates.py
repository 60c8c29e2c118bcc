"""A certificate for this machine, signed by itself."""

import asyncio
import os
import shutil
import ssl
from pathlib import Path

import pytest
from attrs import frozen


@frozen
class Certificate:
    """Where the certificate and its key are."""

    certificate: Path
    key: Path

    def for_a_server(self) -> ssl.SSLContext:
        """Show this certificate to clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


async def make_certificate(folder: Path) -> Certificate:
    """Make one for ``localhost``; without the program for it, skip the test, or fail it on a CI server."""
    program = shutil.which("openssl")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no openssl to make a certificate with")
    made = Certificate(certificate=folder / "server.pem", key=folder / "server.key")
    wish = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    name = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-out", str(made.certificate), "-keyout", str(made.key)]
    process = await asyncio.create_subprocess_exec(
        program, *wish.split(), *name, *files, stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return made
