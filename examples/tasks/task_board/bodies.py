"""The JSON of requests and answers, in camelCase. What does not fit is refused: ``422`` with every place."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

#: Of PostgreSQL's integer.
NUMBER_MAX = 2_147_483_647
Number = Annotated[int, Field(ge=1, le=NUMBER_MAX)]
InPath = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[int, Query(ge=0, le=NUMBER_MAX)]

#: Without control characters, which end a line; a text may have tabs and lines.
LINE = r"^[^\x00-\x1f\x7f]+$"
TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
EMAIL = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"

Name = Annotated[str, StringConstraints(pattern=LINE, max_length=100)]
Title = Annotated[str, StringConstraints(pattern=LINE, max_length=200)]
Description = Annotated[str, StringConstraints(pattern=TEXT, max_length=2000)]  # an event holds 10 KiB
Email = Annotated[str, StringConstraints(pattern=EMAIL, max_length=200)]
Status = Literal["pending", "in_progress", "completed"]


#: Of a field of a change: `null` is refused, and what stands for its absence is never looked at.
NOT_GIVEN: Any = Field(default_factory=lambda: None)


class Body(BaseModel):
    """A request: no conversions, no unknown fields."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="forbid")


class Change(Body):
    """Some fields of a row; those that are not given stay as they are."""

    @model_validator(mode="before")
    @classmethod
    def _changes_something(cls, value: Any) -> Any:  # noqa: ANN401 - as it came
        if value == {}:
            raise ValueError("give at least one field")
        return value


class View(BaseModel):
    """An answer, made from a row."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)

    id: int


class NewUser(Body):
    name: Name
    email: Email


class UserChange(Change):
    name: Name = NOT_GIVEN
    email: Email = NOT_GIVEN


class UserView(View):
    name: str
    email: str


class NewCategory(Body):
    name: Name


class CategoryView(View):
    name: str


class NewTask(Body):
    title: Title
    description: Description = ""
    status: Status = "pending"
    user_id: Number
    category_id: Number | None = None


class TaskChange(Change):
    title: Title = NOT_GIVEN
    description: Description = NOT_GIVEN
    status: Status = NOT_GIVEN
    user_id: Number = NOT_GIVEN
    category_id: Number | None = None


class TaskView(View):
    title: str
    description: str
    status: str
    user_id: int
    category_id: int | None
