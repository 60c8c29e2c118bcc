"""The tables of the shop, in the database that Jobmill uses as well."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Tables(DeclarativeBase):
    """Every table of the shop."""


class Order(Tables):
    __tablename__ = "flask_orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    is_packed: Mapped[bool] = mapped_column(default=False)
