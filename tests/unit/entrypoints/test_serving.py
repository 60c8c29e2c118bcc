"""Where Jobmill listens, and where it refuses to."""

import socket

import pytest

from jobmill.application.errors import SetupFault
from jobmill.entrypoints.serving import bind, bind_health, check_bind, check_metrics_bind
from jobmill.entrypoints.settings import Settings

from tests.servers.ports import free_ports


def test_an_address_that_others_reach_is_refused_with_the_mend() -> None:
    with pytest.raises(SetupFault, match="set JOBMILL_OPEN=1 if you want that"):
        check_bind(Settings.from_env({"JOBMILL_HOST": "0.0.0.0"}))


def test_an_address_that_others_reach_is_taken_when_that_is_said() -> None:
    check_bind(Settings.from_env({"JOBMILL_HOST": "0.0.0.0", "JOBMILL_OPEN": "1"}))


def test_loopback_is_always_fine() -> None:
    check_bind(Settings.from_env({}))


def test_localhost_is_served_on_ipv4_and_ipv6() -> None:
    [port] = free_ports(1)

    sockets = bind(Settings.from_env({"JOBMILL_PORT": str(port)}))

    families = {each.family for each in sockets}
    for each in sockets:
        each.close()
    assert socket.AF_INET in families
    assert families <= {socket.AF_INET, socket.AF_INET6}
    assert len(families) == 1 + _has_ipv6()


def test_small_answers_are_sent_at_once() -> None:
    """asyncio turns off the waiting for more (Nagle) only on sockets that say which protocol they speak."""
    [port] = free_ports(1)

    sockets = bind(Settings.from_env({"JOBMILL_PORT": str(port)}))

    for each in sockets:
        each.close()
        assert each.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_refused_with_another_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SetupFault, match=f"port {port} is taken: .* --port {port + 1}"):
            bind(Settings.from_env({"JOBMILL_PORT": str(port)}))


def test_a_port_that_is_taken_on_ipv6_alone_is_refused_too() -> None:
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SetupFault, match=f"port {port} is taken"):
            bind(Settings.from_env({"JOBMILL_PORT": str(port)}))


def test_an_address_that_is_not_ours_is_refused() -> None:
    settings = Settings.from_env({"JOBMILL_HOST": "192.0.2.7", "JOBMILL_OPEN": "1"})

    with pytest.raises(SetupFault, match=r"cannot listen on 192\.0\.2\.7:3000"):
        bind(settings)


def test_what_a_worker_shows_is_for_this_machine_unless_that_is_said() -> None:
    settings = {"JOBMILL_METRICS_HOST": "0.0.0.0"}

    check_metrics_bind(Settings.from_env({"JOBMILL_HOST": "0.0.0.0"}))  # a worker does not serve there
    with pytest.raises(SetupFault, match=r"JOBMILL_METRICS_HOST=0\.0\.0\.0 .* set JOBMILL_OPEN=1"):
        check_metrics_bind(Settings.from_env(settings))
    check_metrics_bind(Settings.from_env({**settings, "JOBMILL_OPEN": "1"}))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_worker_listens_where_it_was_told(host: str) -> None:
    [port] = free_ports(1)
    settings = {"JOBMILL_METRICS_HOST": host, "JOBMILL_METRICS_PORT": str(port)}

    with bind_health(Settings.from_env(settings)) as listener:
        assert listener.getsockname() == (host, port)


def test_a_worker_whose_port_is_taken_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SetupFault, match=f"{port} taken; set JOBMILL_METRICS_PORT"):
            bind_health(Settings.from_env({"JOBMILL_METRICS_PORT": str(port)}))


def test_an_address_for_metrics_that_is_not_ours_is_refused() -> None:
    with pytest.raises(SetupFault, match=r"cannot listen on 192\.0\.2\.7:9464: .*; set JOBMILL_METRICS_HOST"):
        bind_health(Settings.from_env({"JOBMILL_METRICS_HOST": "192.0.2.7"}))


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
