"""What the tests of providers share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.integration.providers.certificates import Certificate, make_certificate
from tests.integration.providers.mail_server import MailServer, serving


@pytest.fixture
async def mail_server() -> AsyncGenerator[MailServer]:
    async with serving(MailServer()) as server:
        yield server


@pytest.fixture
async def certificate(tmp_path: Path) -> Certificate:
    return await make_certificate(tmp_path)
