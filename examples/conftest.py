"""What the tests of the examples may ask for: the same as the tests of Jobmill itself."""

pytest_plugins = [
    "jobmill.testing.plugin",
    "tests.fixtures.servers",
]
