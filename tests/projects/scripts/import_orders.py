"""Read numbers of orders, one a line: all of them are stored with their jobs, or none is."""

import os
import sys

import psycopg

import jobmill

from tests.projects.scripts.jobs import Parcel, send_parcel


def main() -> None:
    url = os.environ["JOBMILL_DATABASE_URL"]  # postgresql://user:password@host/name
    mill = jobmill.connect_sync(url)
    with psycopg.connect(url) as db, db.cursor() as cursor:  # commits at the end of the block
        cursor.execute("CREATE TABLE IF NOT EXISTS script_orders (id bigint PRIMARY KEY)")
        for line in sys.stdin:
            order = int(line)
            cursor.execute("INSERT INTO script_orders VALUES (%s)", [order])
            cursor.execute(*mill.as_sql(send_parcel, Parcel(order=order)))


if __name__ == "__main__":
    main()
