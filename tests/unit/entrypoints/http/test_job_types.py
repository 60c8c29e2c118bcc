"""Listing the types of jobs."""

from attrs import frozen

from jobmill.application.handlers import JobHandlers, JobType
from jobmill.application.ports.type_registry import Sightings
from jobmill.application.type_keeper import stored_form
from jobmill.domain.retry_policy import RetryPolicy

from tests.unit.entrypoints.http.api_world import ApiWorld, pointers, problem


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


async def test_a_type_that_only_workers_have_the_code_of_is_listed_described_and_taken(api: ApiWorld) -> None:
    before = (await api.get("/api/openapi.json")).json()
    api.registry.board.show(Sightings(types=[stored_form(a_fax())]))

    listed = {each["name"]: each for each in (await api.get("/api/types")).json()}
    document = (await api.get("/api/openapi.json")).json()
    taken = await api.post("/api/jobs", {"type": "fax", "payload": {"number": 1}, "queue": "faxes"})
    refused = await api.post("/api/jobs", {"type": "fax", "payload": {"number": "1", "more": 2}})

    assert (listed["fax"]["queue"], listed["fax"]["max_attempts"]) == ("faxes", 7)
    assert "fax.Fax" not in before["components"]["schemas"]
    assert document["components"]["schemas"]["fax.Fax"]["required"] == ["number"]
    assert "faxes" in document["components"]["schemas"]["Queue"]["enum"]
    assert (taken.status_code, taken.json()["queue"], taken.json()["max_attempts"]) == (201, "faxes", 7)
    assert problem(refused) == (400, "invalid-payload")
    assert sorted(pointers(refused)) == ["/payload/more", "/payload/number"]


@frozen
class Fax:
    number: int


def a_fax() -> JobType[Fax]:
    async def send(_fax: Fax) -> None:
        """Nothing runs in these tests."""

    return JobHandlers().register("fax", queue="faxes", retry=RetryPolicy(max_attempts=7))(send)
