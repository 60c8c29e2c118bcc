"""Addresses of mail servers: read strictly, shown without the password."""

import ssl

import pytest

from jobmill.adapters.smtp import parse_smtp_url
from jobmill.application.errors import SetupFault

SECRET = "swordfish"


def test_an_address_is_shown_without_its_password() -> None:
    server = parse_smtp_url(f"smtp+starttls://app:{SECRET}@mail.example.com?from=shop@example.com")

    assert str(server) == "smtp+starttls://app@mail.example.com:587"
    assert SECRET not in repr(server)
    assert (server.username, server.password, server.sender) == ("app", SECRET, "shop@example.com")


def test_each_scheme_has_its_port_and_its_encryption() -> None:
    plain, encrypted, later = (parse_smtp_url(f"{s}://mail") for s in ("smtp", "smtps", "smtp+starttls"))

    assert (plain.port, plain.tls) == (25, None)
    assert (encrypted.port, later.port) == (465, 587)
    for server in (encrypted, later):
        assert server.tls is not None
        assert server.tls.verify_mode is ssl.CERT_REQUIRED
        assert server.tls.check_hostname


def test_a_port_of_ones_own_is_kept_and_an_address_of_six_is_bracketed() -> None:
    assert parse_smtp_url("smtp://mail:2525/").place == "mail:2525"
    assert parse_smtp_url("smtp://[::1]:2525").place == "[::1]:2525"


def test_special_characters_come_as_percent_and_a_plus_stays_one() -> None:
    server = parse_smtp_url("smtp://ada%40example.com:a%3Ab%2Fc@mail?from=shop+news@example.com")

    assert (server.username, server.password) == ("ada@example.com", "a:b/c")
    assert server.sender == "shop+news@example.com"


def test_without_a_user_nobody_logs_in_and_the_sender_is_jobmill() -> None:
    server = parse_smtp_url("smtp://mail")

    assert (server.username, server.sender) == (None, "jobmill@localhost")


@pytest.mark.parametrize(
    "url",
    [
        f"http://app:{SECRET}@mail",
        f"smtp://app:{SECRET}@mail:port",
        f"smtp://app:{SECRET}@mail:0",
        f"smtp://app:{SECRET}@mail:99999",
        f"smtp://app:{SECRET}@",
        f"smtp://app:{SECRET}@mail/path",
        f"smtp://app:{SECRET}@mail..example",
        f"smtp://app:{SECRET}@[::1",
        f"smtp://app:{SECRET}@mail?form=a@b",
        f"smtp://app:{SECRET}@mail?from=nobody",
        f"smtp://app:{SECRET}@mail?from=a@b%0d%0aX:y",
        f"smtps://app:{SECRET}@mail?cafile=/nonexistent/ca.pem",
        "mail.example.com",
        "",
    ],
)
def test_what_cannot_be_used_is_refused_without_giving_the_password_away(url: str) -> None:
    with pytest.raises(SetupFault) as refusal:
        parse_smtp_url(url)

    assert SECRET not in str(refusal.value)
    assert refusal.value.__suppress_context__ or SECRET not in str(refusal.value.__cause__)
