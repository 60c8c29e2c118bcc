"""Listing the types of jobs."""

from tests.unit.entrypoints.http.api_world import ApiWorld


async def test_types_are_listed_by_name_with_what_holds_for_their_jobs(api: ApiWorld) -> None:
    answer = await api.get("/api/types")

    listed = {each["name"]: each for each in answer.json()}
    assert list(listed) == ["anything", "email", "thumbnail.make"]
    assert {name: value for name, value in listed["email"].items() if name != "payload_schema"} == {
        "name": "email",
        "queue": "mail",
        "priority": "normal",
        "max_attempts": 3,
        "timeout_s": 60,
        "ttl_s": None,
    }
    assert listed["thumbnail.make"]["ttl_s"] == 3600


async def test_the_schema_of_a_payload_stands_alone(api: ApiWorld) -> None:
    answer = await api.get("/api/types")

    schema = answer.json()[2]["payload_schema"]
    assert schema["$ref"] == "#/$defs/Thumbnail"
    assert set(schema["$defs"]) == {"Thumbnail", "Size"}
    assert schema["$defs"]["Thumbnail"]["properties"]["sizes"]["items"] == {"$ref": "#/$defs/Size"}
    assert schema["$defs"]["Thumbnail"]["required"] == ["picture", "sizes"]
