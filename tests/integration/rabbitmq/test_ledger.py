"""The ledger: few words to the broker, and never one for a delivery that is still open."""

from hypothesis import given
from hypothesis import strategies as st

from jobmill.adapters.rabbitmq.ledger import Answer, Ledger


class Broker:
    """What a broker holds for one channel, and what it makes of an answer."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.acked: set[int] = set()
        self.returned: set[int] = set()

    def deliver(self, tag: int) -> None:
        self.held.add(tag)

    def hear(self, answer: Answer) -> None:
        assert answer.tag in self.held, "an unknown tag closes the channel"
        meant = {tag for tag in self.held if tag == answer.tag or (answer.multiple and tag < answer.tag)}
        self.held -= meant
        (self.acked if answer.ack else self.returned).update(meant)


def ledger_with(count: int) -> Ledger:
    ledger = Ledger()
    for tag in range(1, count + 1):
        ledger.received(tag)
    return ledger


def test_neighbours_are_acknowledged_with_one_word() -> None:
    ledger = ledger_with(5)
    for tag in (3, 1, 2):
        ledger.ack(tag)

    assert ledger.take() == [Answer(tag=3, ack=True, multiple=True)]


def test_one_word_never_covers_an_open_delivery() -> None:
    ledger = ledger_with(4)
    for tag in (1, 3, 4):
        ledger.ack(tag)

    assert ledger.take() == [
        Answer(tag=1, ack=True),
        Answer(tag=3, ack=True),
        Answer(tag=4, ack=True),
    ]


def test_what_goes_back_is_said_before_one_word_for_the_rest() -> None:
    ledger = ledger_with(3)
    ledger.release(2)
    ledger.ack(1)
    ledger.ack(3)

    assert ledger.take() == [Answer(tag=2, ack=False), Answer(tag=3, ack=True, multiple=True)]


def test_a_second_answer_changes_nothing() -> None:
    ledger = ledger_with(1)
    ledger.release(1)
    ledger.ack(1)
    assert ledger.take() == [Answer(tag=1, ack=False)]

    ledger.ack(1)
    ledger.ack(99)
    assert ledger.take() == []
    assert ledger.is_empty


STEPS = st.lists(st.tuples(st.sampled_from(["deliver", "ack", "release", "take"]), st.integers(0, 30)))


@given(STEPS)
def test_whatever_the_order_the_broker_hears_what_was_meant(steps: list[tuple[str, int]]) -> None:
    ledger, broker = Ledger(), Broker()
    newest = 0
    acked: set[int] = set()
    released: set[int] = set()
    for verb, tag in [*steps, ("take", 0)]:
        if verb == "deliver":
            newest += 1
            ledger.received(newest)
            broker.deliver(newest)
        elif verb == "take":
            for answer in ledger.take():
                broker.hear(answer)
        elif 1 <= tag <= newest and tag not in acked | released:
            (ledger.ack if verb == "ack" else ledger.release)(tag)
            (acked if verb == "ack" else released).add(tag)

    assert broker.acked == acked
    assert broker.returned == released
    assert broker.held == set(range(1, newest + 1)) - acked - released
