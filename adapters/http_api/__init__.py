"""A client's way to Jobmill over its HTTP API, through aiohttp."""

from jobmill.adapters.http_api.opening import open_http_gateway

__all__ = ["open_http_gateway"]
