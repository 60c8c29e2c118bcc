"""The provider of mail that writes files."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from jobmill.application.codec.mail import write_mail
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.providers import EmailProvider, Mail, ProviderUnavailable

SENDER: Final = "jobmill@localhost"


@frozen(kw_only=True)
class MailOutbox(EmailProvider):
    """Writes each mail to ``<job id>.eml``; a later attempt, or an edited mail, replaces it.

    Only the owner can read them. A file is there whole or not at all, whatever happens to the process; it
    is not forced to the disk, since it stands in for a mail that somebody looks at.

    Args:
        folder: made when it is needed.
    """

    folder: Path
    clock: Clock
    sender: str = SENDER

    async def send(self, mail: Mail, /) -> Mapping[str, str]:
        """Return the path of the file, from the working directory if it lies below."""
        path = self.folder / f"{mail.job_id}.eml"
        content = write_mail(mail, sender=self.sender, at=self.clock.now())
        try:
            await asyncio.to_thread(_write_whole, path, content)
        except OSError as error:
            raise ProviderUnavailable(f"cannot write to the mail outbox: {error}") from error
        return {"outbox": _shown(path)}


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp", delete=False
    ) as file:
        half = Path(file.name)  # readable by the owner only, from its first moment
        try:
            file.write(content)
            file.flush()
            half.replace(path)
        except OSError:
            half.unlink(missing_ok=True)
            raise


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
