"""Notices for three users that are shown by one call, and what became of each."""

import os

import jobmill
from jobmill import Submission, SyncClient

from notification_center.jobs import InApp, show_digests

URL = os.environ.get("MILL_URL", "http://localhost:3000")
NOTICES = (
    InApp("ann", "Your parcel is on its way"),
    InApp("ann", "It comes at noon"),
    InApp("bob-offline", "Hello"),
    InApp("ann", "It is at your door"),
    InApp("cleo", "Hello"),
)


def main(mill: SyncClient) -> None:
    for job in mill.submit_many([Submission(show_digests, notice) for notice in NOTICES]):
        done = mill.wait(job)
        what = f"in one entry with {done.result['in_one_entry'] - 1} others" if done.succeeded else done.error
        print(f"{done.payload['user']}: {done.status.value}, attempts {done.attempts}, {what}")


if __name__ == "__main__":
    with jobmill.connect_sync(URL) as client:
        main(client)
