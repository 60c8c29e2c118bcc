"""The jobs of the scripts."""

from attrs import frozen

from jobmill import JobHandlers

handlers = JobHandlers()


@frozen
class Report:
    month: str


@handlers.register("report.make")
async def make_report(report: Report) -> dict[str, str]:
    return {"file": f"reports/{report.month}.pdf"}


@frozen
class Parcel:
    order: int


@handlers.register("parcel.send")
async def send_parcel(parcel: Parcel) -> None: ...
