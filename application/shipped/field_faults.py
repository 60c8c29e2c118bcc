"""How a payload class refuses its fields: all of its faults at once."""

from collections.abc import Iterable, Sequence


class WrongFields(ExceptionGroup[ValueError], ValueError):
    """Several fields are wrong; one error in the group for each."""

    def derive(self, excs: Sequence[ValueError]) -> "WrongFields":  # type: ignore[override]
        """Keep the class when the group is split."""
        return WrongFields(self.message, excs)


def refuse(faults: Iterable[str]) -> None:
    """Raise what is wrong, if anything is.

    Args:
        faults: sentences that begin with the field's name in quotes, by which the codec finds its place.

    Raises:
        ValueError: one fault, or all of them as ``WrongFields``.
    """
    errors = [ValueError(fault) for fault in faults]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise WrongFields("; ".join(map(str, errors)), errors)
