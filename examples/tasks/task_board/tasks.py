"""``/tasks``: every change tells an event, in the transaction that makes it."""

from fastapi import APIRouter, Response
from sqlalchemy import select

from task_board.board import TheBoard, must_exist
from task_board.bodies import After, InPath, Limit, NewTask, Number, Status, TaskChange, TaskView
from task_board.events import announce
from task_board.jobs import task_created, task_deleted, task_updated
from task_board.reading import one, page
from task_board.tables import Category, Task, User

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.post("", status_code=201)
async def create(body: NewTask, board: TheBoard) -> TaskView:
    async with board.sessions.begin() as session:
        await must_exist(session, User, body.user_id, "userId")
        await must_exist(session, Category, body.category_id, "categoryId")
        task = Task(**body.model_dump())
        session.add(task)
        await session.flush()  # gives the task its number
        await announce(board.mill, task_created, task, within=session)
    return TaskView.model_validate(task)


@router.get("")
async def many(
    board: TheBoard,
    status: Status | None = None,
    userId: Number | None = None,  # noqa: N803 - as in the JSON
    categoryId: Number | None = None,  # noqa: N803 - as in the JSON
    limit: Limit = 50,
    after: After = 0,
) -> list[TaskView]:
    wanted = {"status": status, "user_id": userId, "category_id": categoryId}
    rows = select(Task).filter_by(**{name: value for name, value in wanted.items() if value is not None})
    return await page(board, rows.where(Task.id > after).order_by(Task.id).limit(limit), TaskView)


@router.get("/{number}", response_model=TaskView)
async def read(number: InPath, board: TheBoard) -> Response:
    return await one(board, Task, TaskView, number)


@router.patch("/{number}")
async def change(number: InPath, body: TaskChange, board: TheBoard) -> TaskView:
    async with board.changing(Task, number) as (session, task):
        fields = body.model_dump(exclude_unset=True)
        await must_exist(session, User, fields.get("user_id"), "userId")
        await must_exist(session, Category, fields.get("category_id"), "categoryId")
        for field, value in fields.items():
            setattr(task, field, value)
        await announce(board.mill, task_updated, task, within=session)
    return TaskView.model_validate(task)


@router.delete("/{number}", status_code=204)
async def delete(number: InPath, board: TheBoard) -> None:
    async with board.changing(Task, number) as (session, task):
        await announce(board.mill, task_deleted, task, within=session)
        await session.delete(task)
