"""How long a client waits for the HTTP API, and how much it takes from it."""

from typing import Final

CONNECT_S: Final = 2.0
#: A request in all; longer than the server itself tries to reach its database.
TOTAL_S: Final = 15.0
#: A batch of a thousand jobs comes back with its payloads.
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
CONNECTIONS_MAX: Final = 100
#: Less than the server keeps an idle connection, so that it does not close one that is taken up again.
KEEP_ALIVE_S: Final = 15.0
#: The pauses before a request that surely did nothing, or may be done twice, is sent again.
PAUSES_S: Final = (0.1, 0.4)
#: One long poll; the server takes up to 60.
WAIT_S_MAX: Final = 30
#: The least between two answers to a wait, should the server not wait itself.
WAIT_PAUSE_S: Final = 0.5
