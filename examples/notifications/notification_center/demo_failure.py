"""A notification's way through failure: attempts, the dead letters, another payload, success."""

import os

import jobmill
from jobmill import JobState, SyncClient

URL = os.environ.get("MILL_URL", "http://localhost:3000")


def main(mill: SyncClient) -> None:
    print("Bob's inbox does not answer. It is tried three times:")
    dead = mill.wait(mill.submit("inapp", {"user": "bob-offline", "text": "Hello"}))
    print(f"  {dead.status.value}, attempts {dead.attempts}, error: {dead.error}")

    letters = {letter.id for letter in mill.list(queue="inapp", status=[JobState.FAILED])}
    print(f"It lies with the dead letters: {dead.id in letters}")

    print("Requeued, to another inbox of his:")
    mill.requeue(dead, payload={"user": "bob", "text": "Hello"})
    done = mill.wait(dead)
    print(f"  {done.status.value}, attempts {done.attempts}")


if __name__ == "__main__":
    with jobmill.connect_sync(URL) as client:
        main(client)
