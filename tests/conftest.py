"""What every test may ask for; the fixtures themselves are in `tests/fixtures`."""

pytest_plugins = [
    "jobmill.testing.plugin",
    "tests.fixtures.databases",
    "tests.fixtures.garbage",
    "tests.fixtures.servers",
    "tests.fixtures.wheel",
]
