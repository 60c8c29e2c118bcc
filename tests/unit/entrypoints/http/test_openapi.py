"""The description of the API says what the API does."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from attrs import frozen

from jobmill.application.codec.submit_request import FIELD_NAMES
from jobmill.application.handlers import JobHandlers, Registry
from jobmill.entrypoints.http.openapi.document import openapi_document
from jobmill.entrypoints.http.openapi.operations import OPERATIONS
from jobmill.entrypoints.http.payload_schemas import TEXT

from tests.unit.entrypoints.http.api_world import ApiWorld

#: Served, and no part of the API itself.
UNDESCRIBED = {"/openapi.json", "/docs", "/docs/{file_name}", "/"}


@pytest.fixture
def document(api: ApiWorld) -> dict[str, Any]:
    return openapi_document(api.registry, version="1.2.3")


def nodes(tree: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, Mapping):
        yield tree
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from nodes(value)


async def test_it_is_served_as_it_is(api: ApiWorld) -> None:
    for path in ("/openapi.json", "/api/openapi.json"):
        answer = await api.get(path)

        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["openapi"] == "3.1.0"
        assert answer.json()["info"]["version"] == "0.0.7"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for node in nodes(document):
        if isinstance(node.get("$ref"), str):
            place: Any = document
            for step in node["$ref"].removeprefix("#/").split("/"):
                place = place[step]


def test_every_route_is_described_and_every_description_is_a_route(api: ApiWorld) -> None:
    served = {
        (method.lower(), route.path.replace(":str", "").replace("job_id", "id").removeprefix("/api"))
        for route in api.app.routes
        if route.path.startswith("/api/")
        for method in route.methods
        if method not in {"HEAD", "OPTIONS"}
    }

    assert {(each.method, each.path) for each in OPERATIONS} == {
        (method, path) for method, path in served if path not in UNDESCRIBED
    }


def test_every_route_is_there_with_the_prefix_and_without(api: ApiWorld) -> None:
    paths = {route.path for route in api.app.routes}

    assert {path for path in paths if not path.startswith("/api/")} - {"/"} == {
        path.removeprefix("/api") for path in paths if path.startswith("/api/")
    }


def test_a_request_for_each_type_is_described_in_full(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["Submit"]["discriminator"]["mapping"] == {
        name: f"#/components/schemas/Submit.{name}" for name in ("anything", "email", "thumbnail.make")
    }
    for name in ("anything", "email", "thumbnail.make"):
        submit = schemas[f"Submit.{name}"]
        assert submit["properties"]["type"] == {"const": name}
        assert set(submit["properties"]) == set(FIELD_NAMES)
        assert submit["additionalProperties"] is False


def test_texts_of_payloads_exclude_what_no_body_may_hold(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["email.Email"]["properties"]["recipient"]["pattern"] == TEXT
    assert schemas["thumbnail.make.Size"]["properties"]["width"]["maximum"] == 2**64 - 1
    payload = schemas["Submit.anything"]["properties"]["payload"]
    assert payload["additionalProperties"] == {"$ref": "#/components/schemas/Json"}


def test_classes_of_one_name_are_kept_apart() -> None:
    first, second = JobHandlers(), JobHandlers()

    def order_of(kind: type) -> type:
        @frozen
        class Order:
            amount: kind  # type: ignore[valid-type]

        return Order

    for handlers, name, model in ((first, "buy", order_of(int)), (second, "sell", order_of(str))):

        async def handle(payload: object) -> None:
            """Nothing runs here."""

        handle.__annotations__["payload"] = model
        handlers.register(name)(handle)

    schemas: Any = openapi_document(Registry([first, second]), version="1")["components"]

    assert schemas["schemas"]["buy.Order"]["properties"]["amount"]["type"] == "integer"
    assert schemas["schemas"]["sell.Order"]["properties"]["amount"]["type"] == "string"


def test_a_process_without_types_takes_no_job() -> None:
    schemas: Any = openapi_document(Registry([]), version="1")["components"]

    assert schemas["schemas"]["Submit"] == {"not": {}}


def test_every_operation_says_what_it_refuses_and_how(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        good = "text/plain" if path == "/metrics" else "application/json"
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                kind = good if int(status) < 400 else "application/problem+json"
                assert list(answer["content"]) == [kind]
                assert "X-Request-Id" in answer["headers"]
