"""What a person reads when Jobmill starts."""

import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from jobmill.application.handlers import Registry
from jobmill.entrypoints.settings import Settings

_PAYLOAD = '{"recipient":"ada@example.com","subject":"Hi","body":"Hello"}'


def banner(settings: Settings, registry: Registry) -> str:
    """Say where everything is and what to type next."""
    url = f"{shown_host(settings)}:{settings.port}"
    reach = "this machine only" if settings.is_local else "open to others"
    mails = f"mails     {settings.home / 'outbox'}/" if not settings.smtp_url else "mails     by SMTP"
    lines = [
        f"Jobmill {version('jobmill')}   http://{url}   ({reach})",
        f"  data      {shown_address(settings.database_url)}      {mails}",
        f"  types     {'  '.join(declared.name for declared in registry.types)}",
        f"  try       curl -X POST {url}/api/jobs -H 'content-type: application/json' \\",
        f'              -d \'{{"type":"email","payload":{_PAYLOAD}}}\'',
        f"            {_command()} submit simulate '{{\"fail_first\":2}}' --wait",
        "  docs      http://" + url + "/docs",
        "  stop      Ctrl-C (jobs are kept)",
    ]
    return "\n".join(lines)


def shown_host(settings: Settings) -> str:
    """Return the host as a person types it."""
    return "localhost" if settings.is_local else settings.host


def shown_address(url: str) -> str:
    """Return a URL without its password and driver."""
    if url.startswith("sqlite"):
        return url.partition(":///")[2]
    parts = urlsplit(url)
    return f"{parts.scheme.partition('+')[0]}://{parts.hostname or ''}{parts.path}"


def _command() -> str:
    """Return how this very program is called, as short as it can be from here."""
    program = Path(sys.argv[0])
    try:
        return str(program.absolute().relative_to(Path.cwd()))
    except ValueError:
        return "jobmill"
