"""What the job type ``webhook`` takes as an address and as headers."""

import pytest

from jobmill.adapters.memory.clocks import ManualClock
from jobmill.application.ports.providers import WebAnswer, WebClient, WebRequest
from jobmill.application.shipped import webhook_handlers

from tests.unit.application.shipped.attempts import faults_of

URL = "https://hooks.example.com/orders"


class NoWeb(WebClient):
    async def call(self, request: WebRequest) -> WebAnswer:
        raise AssertionError("nobody is called to check a payload")


HANDLERS = webhook_handlers(NoWeb(), clock=ManualClock())


def what_is_wrong_with(**payload: object) -> dict[str, str]:
    return faults_of(HANDLERS, {"url": URL} | payload)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com:8443/a/b?c=d%20e&f=[1]#g",
        "HTTPS://EXAMPLE.COM/",
        "http://127.0.0.1:9000/",
        "http://[::1]/",
        "https://example.com/" + "x" * (2_048 - 20),
    ],
)
def test_an_address_of_the_web_is_taken(url: str) -> None:
    assert what_is_wrong_with(url=url) == {}


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("", "ASCII"),
        ("example.com/hook", "http://"),
        ("ftp://example.com/", "http://"),
        ("file:///etc/passwd", "http://"),
        ("http:///hook", "name a host"),
        ("http://:80/", "name a host"),
        ("http://example.com:0/", "name a host"),
        ("http://example.com:port/", "not a URL"),
        ("http://example.com:65536/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("http://ada:swordfish@example.com/", "user or a password"),
        ("http://ada@example.com/", "user or a password"),
        ("http://example.com/a b", "ASCII without spaces"),
        ("http://example.com/\r\nX: y", "ASCII without spaces"),
        ("http://bücher.example/", "xn--"),
        ("http://example.com\\@evil.example/", "ASCII"),
        ("https://example.com/" + "x" * (2_049 - 20), "2048 characters, not 2049"),
    ],
)
def test_any_other_is_refused_with_the_reason(url: str, because: str) -> None:
    [(pointer, detail)] = what_is_wrong_with(url=url).items()

    assert pointer == "/url"
    assert because in detail
    assert "swordfish" not in detail


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "connection",
        "Content-Length",
        "Transfer-Encoding",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Proxy-Authorization",
        "Expect",
        "Webhook-Id",
        "webhook-timestamp",
        "webhook-signature",
    ],
)
def test_some_headers_are_not_the_clients_to_write(name: str) -> None:
    [(pointer, detail)] = what_is_wrong_with(headers={name: "x"}).items()

    assert pointer == "/headers"
    assert repr(name) in detail


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "é", "x" * 101])
def test_a_header_needs_a_name_that_is_one(name: str) -> None:
    assert list(what_is_wrong_with(headers={name: "x"})) == ["/headers"]


@pytest.mark.parametrize("value", ["secret\r\nX: y", "secret\n", "secret\x00", "secret é"])
def test_a_header_is_one_line_of_ascii_and_is_not_repeated_in_the_fault(value: str) -> None:
    [(pointer, detail)] = what_is_wrong_with(headers={"X-Note": value}).items()

    assert pointer == "/headers"
    assert "X-Note" in detail
    assert "secret" not in detail


def test_a_header_stands_once_however_it_is_written() -> None:
    assert "twice" in what_is_wrong_with(headers={"X-A": "1", "x-a": "2"})["/headers"]


def test_fifty_headers_are_enough() -> None:
    assert what_is_wrong_with(headers={f"X-{n}": "" for n in range(50)}) == {}
    assert list(what_is_wrong_with(headers={f"X-{n}": "" for n in range(51)})) == ["/headers"]


@pytest.mark.parametrize("headers", [[], "X: y", None, 3])
def test_headers_are_an_object(headers: object) -> None:
    assert "must be an object" in what_is_wrong_with(headers=headers)["/headers"]


def test_the_value_of_a_header_is_a_text() -> None:
    assert list(what_is_wrong_with(headers={"X-A": 1})) == ["/headers/X-A"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_five_methods_are_known(method: str) -> None:
    assert what_is_wrong_with(method=method) == {}


@pytest.mark.parametrize("method", ["post", "CONNECT", "HEAD", "OPTIONS", "TRACE", ""])
def test_others_are_not(method: str) -> None:
    assert list(what_is_wrong_with(method=method)) == ["/method"]


def test_get_carries_no_body() -> None:
    assert list(what_is_wrong_with(method="GET", body={})) == ["/body"]


def test_all_faults_are_told_at_once() -> None:
    wrong = what_is_wrong_with(url="x", headers={"Host": "y"}, method="GET", body=1)

    assert list(wrong) == ["/url", "/headers", "/body"]


def test_the_schema_names_every_field() -> None:
    [declared] = HANDLERS

    schema = declared.schema.components["Webhook"]

    assert isinstance(schema, dict)
    assert list(schema["properties"]) == ["url", "body", "headers", "method", "secret"]
    assert schema["required"] == ["url"]
    assert schema["properties"]["headers"]["additionalProperties"] == {"type": "string"}
    assert schema["properties"]["method"]["default"] == "POST"
