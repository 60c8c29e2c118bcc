"""An event whose mail cannot be delivered: attempts, the dead letters, another address, success."""

import os
import time

import httpx

import jobmill
from jobmill import Job, JobState, SyncClient

TASKS_URL = os.environ.get("TASKS_URL", "http://localhost:3000")
MILL_URL = os.environ.get("MILL_URL", "http://localhost:3010")


def main(http: httpx.Client, mill: SyncClient) -> None:
    name = f"bob-{time.time_ns()}"
    print("Bob's mail server does not answer. He is given a task:")
    user = told(http.post("/users", json={"name": "Bob", "email": f"{name}@unreachable.example"}))
    task = told(http.post("/tasks", json={"title": "Learn to wait", "userId": user["id"]}))
    dead = mill.wait(event_of(mill, task["id"]))
    print(f"  event {dead.type}: {dead.status.value}, attempts {dead.attempts}, {dead.error}")

    letters = {letter.id for letter in mill.list(queue="task_events", status=[JobState.FAILED])}
    print(f"It lies with the dead letters: {dead.id in letters}")

    print("Bob has a new address, and the event is requeued:")
    told(http.patch(f"/users/{user['id']}", json={"email": f"{name}@example.com"}))
    mill.requeue(dead)
    done = mill.wait(dead)
    print(f"  event {done.type}: {done.status.value}, attempts {done.attempts}")


def told(answer: httpx.Response) -> dict[str, int]:
    answer.raise_for_status()
    said: dict[str, int] = answer.json()
    return said


def event_of(mill: SyncClient, task: int) -> Job:
    return next(job for job in mill.list(type="TASK_CREATED") if job.payload["payload"]["id"] == task)


if __name__ == "__main__":
    with httpx.Client(base_url=TASKS_URL) as http, jobmill.connect_sync(MILL_URL) as mill:
        main(http, mill)
