"""Ask for a report of each month that is named, and wait for all of them."""

import sys
from datetime import timedelta

import jobmill
from jobmill import Submission

from tests.projects.scripts.jobs import Report, make_report


def main(months: list[str]) -> int:
    with jobmill.connect_sync() as mill:  # JOBMILL_DATABASE_URL, else .jobmill in this folder
        jobs = mill.submit_many(
            [
                # Run again, the script finds the reports of the first time.
                Submission(make_report, Report(month=month), options={"idempotency_key": f"report-{month}"})
                for month in months
            ]
        )
        done = [mill.wait(job, timeout=timedelta(minutes=5)) for job in jobs]
    for job in done:
        print(job.payload["month"], job.status.value, job.result or job.error)
    return 0 if all(job.succeeded for job in done) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
