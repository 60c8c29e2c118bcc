"""The image's health check: exit 0 when this container's Jobmill says it is alive.

The api answers on its own port and a worker on its metrics port; one image serves both roles, so either
will do.
"""

import http.client
import os
import sys

PORTS = (os.environ.get("JOBMILL_PORT", "3000"), os.environ.get("JOBMILL_METRICS_PORT", "9464"))


def alive(port: str) -> bool:
    """Whether a live Jobmill answers on ``port`` of this container within two seconds."""
    door = http.client.HTTPConnection("127.0.0.1", int(port), timeout=2)
    try:
        door.request("GET", "/health/live")
        return door.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        door.close()


if __name__ == "__main__":
    sys.exit(0 if any(alive(port) for port in PORTS) else 1)
