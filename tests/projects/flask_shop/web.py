"""The shop's HTTP: an order and its job are committed together, or not at all."""

import os

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import HTTPException

import jobmill

from tests.projects.flask_shop.jobs import Parcel, pack
from tests.projects.flask_shop.tables import Order, Tables

DATABASE_URL = os.environ["DATABASE_URL"]  # postgresql://user:password@host/name

engine = create_engine(DATABASE_URL.replace("postgresql://", "postgresql+psycopg://"))
new_session = sessionmaker(engine)
mill = jobmill.connect_sync(DATABASE_URL)  # opened by the first request that needs it, in each process

app = Flask(__name__)
Tables.metadata.create_all(engine)


class CardDeclined(HTTPException):
    code = 402
    description = "card declined"


def take(session: Session, email: str) -> dict[str, object]:
    order = Order(email=email)
    session.add(order)
    session.flush()  # gives the order its number
    job = mill.submit(pack, Parcel(order=order.id), within=session, idempotency_key=f"pack-{order.id}")
    return {"order": order.id, "job": str(job.id)}


@app.post("/orders")
def place_order() -> ResponseReturnValue:
    with new_session.begin() as session:  # commits at the end of the block
        return take(session, request.get_json()["email"]), 201


@app.post("/orders/declined")
def place_order_with_a_bad_card() -> ResponseReturnValue:
    with new_session.begin() as session:
        take(session, request.get_json()["email"])
        raise CardDeclined  # rolls back: no order, and no job
