"""The processes of the test kit, by the name that the tests know them by."""

from jobmill.testing.cable import Cable
from jobmill.testing.node import LEASE, NODE, Node, follow_tasks
from jobmill.testing.notes import Notes

__all__ = ["LEASE", "NODE", "Cable", "Node", "Notes", "follow_tasks"]
