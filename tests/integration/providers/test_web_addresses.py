"""Which addresses a call may reach, however they are written and whatever their name."""

import socket

import pytest

from jobmill.adapters.http_client import AddressGuard, parse_networks
from jobmill.adapters.http_client.address_guard import RefusedAddress
from jobmill.application.errors import SetupFault
from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable

from tests.integration.providers.web_calls import Names, a_client, a_request
from tests.integration.providers.web_servers import a_web_server

STRICT = AddressGuard()
LOOPBACK = AddressGuard(allow_loopback=True)

NEVER_PUBLIC = [
    "0.0.0.0",
    "10.0.0.7",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::10.0.0.7",
    "::ffff:10.0.0.7",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.7",
    "64:ff9b:1::7",
    "2001::1",
    "2001:db8::1",
    "2002:a00:7::",
    "3fff::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "ff02::1",
]
THIS_MACHINE = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"]
PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


def target(address: str) -> tuple[int, int, int, str, tuple[str, int]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80))


@pytest.mark.parametrize("guard", [STRICT, LOOPBACK])
@pytest.mark.parametrize("address", NEVER_PUBLIC)
def test_what_is_not_public_gets_no_socket(guard: AddressGuard, address: str) -> None:
    with pytest.raises(RefusedAddress) as refusal:
        guard.open_socket(target(address))

    assert str(refusal.value).startswith(address)
    assert "JOBMILL_WEBHOOK_NETWORKS" in str(refusal.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("10.0.0.7", "10.0.0.7 is a private address"),
        ("169.254.169.254", "169.254.169.254 is a link-local address"),
        ("::ffff:10.0.0.7", "::ffff:10.0.0.7 (10.0.0.7) is a private address"),
        ("100.64.0.1", "100.64.0.1 is a special-purpose address"),
        ("ff02::1", "ff02::1 is a multicast address"),
    ],
)
def test_the_refusal_says_what_the_address_is(address: str, words: str) -> None:
    with pytest.raises(RefusedAddress) as refusal:
        STRICT.check(address)

    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize("address", THIS_MACHINE)
def test_this_machine_gets_a_socket_only_if_it_is_allowed(address: str) -> None:
    with pytest.raises(RefusedAddress, match="is a loopback address"):
        STRICT.open_socket(target(address))
    LOOPBACK.open_socket(target(address)).close()


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_gets_a_socket(address: str) -> None:
    STRICT.open_socket(target(address)).close()


@pytest.mark.parametrize("address", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", ""])
def test_what_is_no_address_in_its_usual_form_gets_none(address: str) -> None:
    with pytest.raises(RefusedAddress):
        LOOPBACK.check(address)


def test_a_setting_allows_networks_and_nothing_beside_them() -> None:
    guard = AddressGuard(networks=parse_networks(" 10.1.0.0/16, fd00::7 ,"))

    guard.check("10.1.2.3")
    guard.check("::ffff:10.1.2.3")
    guard.check("fd00::7")
    for address in ("10.2.0.1", "fd00::8", "127.0.0.1"):
        with pytest.raises(RefusedAddress):
            guard.check(address)


@pytest.mark.parametrize("text", ["10.1.2.3/16", "example.com", "10.0.0.0/33"])
def test_a_setting_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(SetupFault, match="JOBMILL_WEBHOOK_NETWORKS"):
        parse_networks(text)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]"],
)
async def test_this_machine_is_not_called_under_any_of_its_names(host: str) -> None:
    async with a_web_server(host="0.0.0.0") as server, a_client(guard=STRICT) as client:
        with pytest.raises(ProviderRefused):
            await client.call(a_request(f"http://{host}:{server.port}/"))

    assert server.requests == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "0"])
async def test_nor_in_a_spelling_that_only_some_systems_understand(host: str) -> None:
    async with a_web_server(host="0.0.0.0") as server, a_client(guard=STRICT) as client:
        with pytest.raises((ProviderRefused, ProviderUnavailable)):
            await client.call(a_request(f"http://{host}:{server.port}/"))

    assert server.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_called_if_it_is_allowed(host: str) -> None:
    async with a_web_server() as server, a_client(guard=LOOPBACK) as client:
        assert (await client.call(a_request(f"http://{host}:{server.port}/"))).status == 200


@pytest.mark.parametrize("address", ["10.0.0.7", "169.254.169.254", "[fd00:ec2::254]", "[fe80::1]"])
async def test_the_refusal_names_the_address_and_the_setting(address: str) -> None:
    async with a_client(guard=LOOPBACK) as client:
        with pytest.raises(ProviderRefused) as refusal:
            await client.call(a_request(f"http://{address}/latest/meta-data?secret"))

    assert str(refusal.value).startswith(address.strip("[]"))
    assert "JOBMILL_WEBHOOK_NETWORKS" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("addresses", [["10.0.0.7"], ["10.0.0.7", "fd00::7", "169.254.169.254"]])
async def test_a_public_name_for_private_addresses_is_refused(addresses: list[str]) -> None:
    names = Names(addresses={"rebound.example": addresses})

    async with a_client(names=names) as client:
        for _ in range(2):
            with pytest.raises(ProviderRefused, match="JOBMILL_WEBHOOK_NETWORKS"):
                await client.call(a_request("http://rebound.example/"))


BOTH_ORDERS = [["10.0.0.7", "127.0.0.1"], ["127.0.0.1", "10.0.0.7"]]


@pytest.mark.parametrize("addresses", BOTH_ORDERS)
async def test_a_name_with_a_private_address_beside_a_good_one_reaches_the_good_one(
    addresses: list[str],
) -> None:
    names = Names(addresses={"two.example": addresses})

    async with a_web_server() as server, a_client(names=names) as client:
        answer = await client.call(a_request(f"http://two.example:{server.port}/"))

    assert answer.status == 200
    assert server.requests[0].headers["Host"] == f"two.example:{server.port}"


@pytest.mark.parametrize("addresses", BOTH_ORDERS)
async def test_a_good_address_that_does_not_answer_is_no_refusal(
    addresses: list[str], unused_tcp_port: int
) -> None:
    names = Names(addresses={"two.example": addresses})

    async with a_client(names=names) as client:
        with pytest.raises(ProviderUnavailable):
            await client.call(a_request(f"http://two.example:{unused_tcp_port}/"))
