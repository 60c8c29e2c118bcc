"""One job's way through failure: attempts, the dead letters, another payload, success."""

import os

import jobmill
from jobmill import JobState, SyncClient

URL = os.environ.get("QUEUE_URL", "http://localhost:3000")


def main(mill: SyncClient) -> None:
    print("A charge to a card that has expired. It is tried three times:")
    job = mill.submit("CHARGE", {"card": "expired", "cents": 1250})
    dead = mill.wait(job)
    print(f"  {dead.status.value}, attempts {dead.attempts}, error: {dead.error}")

    letters = {letter.id for letter in mill.list(status=[JobState.FAILED])}
    print(f"It lies with the dead letters: {dead.id in letters}")

    print("Requeued, with a card that is good:")
    mill.requeue(dead, payload={"card": "4242", "cents": 1250})
    done = mill.wait(dead)
    print(f"  {done.status.value}, attempts {done.attempts}, result: {done.result}")


if __name__ == "__main__":
    with jobmill.connect_sync(URL) as client:
        main(client)
