"""What can go wrong before a test has its server."""


class NoServer(Exception):
    """There is no such server to test against; the message says where it was looked for."""


class WrongServer(Exception):
    """The server that the environment names cannot be used; the message says why."""


class NoAnswer(Exception):
    """Nobody, or nobody who would let us in, answers at an address; the message says why."""


class ServerFailed(Exception):
    """A private server did not do as told in time; the message carries the end of its log."""


class ServerEnded(ServerFailed):
    """A private server ended by itself while it should have started, as when its port was taken."""
