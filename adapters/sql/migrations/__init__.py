"""The history of the tables, one file per revision, each number one above the last."""
