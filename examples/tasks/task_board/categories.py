"""``/categories``."""

from fastapi import APIRouter, Response
from sqlalchemy import select

from task_board.board import TheBoard
from task_board.bodies import After, CategoryView, InPath, Limit, NewCategory
from task_board.reading import one, page
from task_board.tables import Category

router = APIRouter(prefix="/categories", tags=["categories"])


@router.post("", status_code=201)
async def create(body: NewCategory, board: TheBoard) -> CategoryView:
    async with board.sessions.begin() as session:
        category = Category(**body.model_dump())
        session.add(category)
    return CategoryView.model_validate(category)


@router.get("")
async def many(board: TheBoard, limit: Limit = 50, after: After = 0) -> list[CategoryView]:
    rows = select(Category).where(Category.id > after).order_by(Category.id).limit(limit)
    return await page(board, rows, CategoryView)


@router.get("/{number}", response_model=CategoryView)
async def read(number: InPath, board: TheBoard) -> Response:
    return await one(board, Category, CategoryView, number)


@router.patch("/{number}")
async def change(number: InPath, body: NewCategory, board: TheBoard) -> CategoryView:
    async with board.changing(Category, number) as (_, category):
        category.name = body.name
    return CategoryView.model_validate(category)


@router.delete("/{number}", status_code=204)
async def delete(number: InPath, board: TheBoard) -> None:
    async with board.changing(Category, number) as (session, category):
        await session.delete(category)
