"""``/users``."""

from fastapi import APIRouter, Response
from sqlalchemy import select

from task_board.board import TheBoard
from task_board.bodies import After, InPath, Limit, NewUser, UserChange, UserView
from task_board.reading import one, page
from task_board.tables import User

router = APIRouter(prefix="/users", tags=["users"])


@router.post("", status_code=201)
async def create(body: NewUser, board: TheBoard) -> UserView:
    async with board.sessions.begin() as session:
        user = User(**body.model_dump())
        session.add(user)
    return UserView.model_validate(user)


@router.get("")
async def many(board: TheBoard, limit: Limit = 50, after: After = 0) -> list[UserView]:
    return await page(board, select(User).where(User.id > after).order_by(User.id).limit(limit), UserView)


@router.get("/{number}", response_model=UserView)
async def read(number: InPath, board: TheBoard) -> Response:
    return await one(board, User, UserView, number)


@router.patch("/{number}")
async def change(number: InPath, body: UserChange, board: TheBoard) -> UserView:
    async with board.changing(User, number) as (_, user):
        for field, value in body.model_dump(exclude_unset=True).items():
            setattr(user, field, value)
    return UserView.model_validate(user)


@router.delete("/{number}", status_code=204)
async def delete(number: InPath, board: TheBoard) -> None:
    async with board.changing(User, number) as (session, user):
        await session.delete(user)
