"""The shop's HTTP: an order and its job are committed together, or not at all."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

import jobmill

from tests.projects.fastapi_shop.jobs import Confirmation, confirm
from tests.projects.fastapi_shop.tables import Order, Tables

DATABASE_URL = os.environ["DATABASE_URL"]  # postgresql://user:password@host/name

engine = create_async_engine(DATABASE_URL.replace("postgresql://", "postgresql+asyncpg://"))
new_session = async_sessionmaker(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, jobmill.Client]]:
    async with engine.begin() as connection:
        await connection.run_sync(Tables.metadata.create_all)
    async with jobmill.connect(DATABASE_URL) as mill:
        yield {"mill": mill}
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


class NewOrder(BaseModel):
    email: str


async def take(session: AsyncSession, mill: jobmill.Client, email: str) -> dict[str, object]:
    order = Order(email=email)
    session.add(order)
    await session.flush()  # gives the order its number
    job = await mill.submit(
        confirm,
        Confirmation(order=order.id, email=email),
        within=session,
        idempotency_key=f"confirm-{order.id}",
    )
    return {"order": order.id, "job": str(job.id)}


@app.post("/orders", status_code=201)
async def place_order(order: NewOrder, request: Request) -> dict[str, object]:
    async with new_session.begin() as session:  # commits at the end of the block
        return await take(session, request.state.mill, order.email)


@app.post("/orders/declined")
async def place_order_with_a_bad_card(order: NewOrder, request: Request) -> None:
    async with new_session.begin() as session:
        await take(session, request.state.mill, order.email)
        raise HTTPException(402, "card declined")  # rolls back: no order, and no job
