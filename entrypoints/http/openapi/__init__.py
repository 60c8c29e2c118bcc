"""The description of the API (OpenAPI 3.1), put together from the rules and classes that it describes."""
