"""A mutant of the real code for every hole that the protocol closes, and who finds it."""

from typing import Final

from tests.simulation.mutants_of_delivery import DELIVERY
from tests.simulation.mutants_of_saving import SAVING

MUTANTS: Final = (*SAVING, *DELIVERY)
