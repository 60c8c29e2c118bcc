"""Addresses: read strictly, shown without the password."""

import ssl

import pytest

from jobmill.adapters.rabbitmq.addresses import parse_addresses
from jobmill.application.errors import SetupFault

SECRET = "swordfish"


def test_an_address_is_shown_without_its_password() -> None:
    [address] = parse_addresses([f"amqp://app:{SECRET}@mq.example.com/shop?auth=plain"])

    assert str(address) == "amqp://app@mq.example.com:5672/shop"
    assert SECRET not in repr(address)


def test_each_scheme_has_its_port_and_its_encryption() -> None:
    plain, encrypted = parse_addresses(["amqp://mq/", "amqps://mq/"])

    assert (plain.url.port, plain.tls) == (5672, None)
    assert encrypted.url.port == 5671
    assert encrypted.tls is not None
    assert encrypted.tls.verify_mode is ssl.CERT_REQUIRED
    assert encrypted.tls.check_hostname


def test_a_port_of_ones_own_is_kept() -> None:
    [address] = parse_addresses(["amqp://mq:5673/%2F"])

    assert str(address).startswith("amqp://mq:5673/")


@pytest.mark.parametrize(
    "url",
    [
        f"http://app:{SECRET}@mq/",
        f"amqp://app:{SECRET}@mq:port/",
        f"amqp://app:{SECRET}@/",
        f"amqps://app:{SECRET}@mq/?cafile=/nonexistent/ca.pem",
        f"amqps://app:{SECRET}@mq/?no_verify_ssl=1",
        f"amqp://app:{SECRET}@mq/?heartbeat=0",
        "mq.example.com",
        "",
    ],
)
def test_what_cannot_be_used_is_refused_without_giving_the_password_away(url: str) -> None:
    with pytest.raises(SetupFault) as refusal:
        parse_addresses([url])

    assert SECRET not in str(refusal.value)


def test_at_least_one_address_is_needed() -> None:
    with pytest.raises(SetupFault, match="no broker address"):
        parse_addresses([])
