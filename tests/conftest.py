"""What every test may ask for; the fixtures themselves are in `tests/fixtures`."""

pytest_plugins = ["tests.fixtures.servers", "tests.fixtures.wheel"]
