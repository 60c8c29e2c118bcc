"""Whose project it is, read from the key file that the provider's console makes."""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from jobmill.application.errors import WrongAddress
from jobmill.application.provider_urls import ProviderUrl

SHAPE: Final = "fcm:///etc/jobmill/service-account.json"
OPTIONS: Final = frozenset({"base_url", "project"})
BASE_URL: Final = "https://fcm.googleapis.com"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens are asked for
_FILE_BYTES_MAX: Final = 64 * 1024


@frozen(kw_only=True)
class ServiceAccount:
    """A robot's name and key, and where its messages go.

    Args:
        token_url: where it asks for access tokens.
        base_url: of the API, without a slash at its end.
    """

    email: str
    key: RSAPrivateKey = field(repr=False)
    project: str
    token_url: str
    base_url: str


def read_service_account(url: ProviderUrl) -> ServiceAccount:
    """Read ``fcm://`` and the file that it names.

    Raises:
        WrongAddress: the file is not there, or not such a file.
    """
    options = url.only(OPTIONS)
    if url.host or url.username is not None or not url.path.strip("/"):
        raise WrongAddress(f"the fcm address has to name a file and nothing else, as in {SHAPE}")
    said = _object_in(Path(url.path))
    try:
        key = load_pem_private_key(said["private_key"].encode(), password=None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError
        return ServiceAccount(
            email=_text(said["client_email"]),
            key=key,
            project=_text(options.get("project") or said["project_id"]),
            token_url=_web_url(said.get("token_uri") or TOKEN_URL),
            base_url=_web_url(options.get("base_url") or BASE_URL).rstrip("/"),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise WrongAddress(
            f"{url.path} is no key file of a service account: it has to hold client_email, private_key and "
            "project_id, as the console's JSON has them; base_url= must be a URL"
        ) from None


def _object_in(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            value = json.loads(opened.read(_FILE_BYTES_MAX))
    except OSError as error:
        raise WrongAddress(f"the key file {file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise WrongAddress(f"the key file {file} is not JSON") from None
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and value:
        return value
    raise ValueError


def _web_url(value: object) -> str:
    text = _text(value)
    parts = urlsplit(text)
    if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc:
        return text
    raise ValueError
