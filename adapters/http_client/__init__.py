"""Calls to the web servers of strangers, kept away from everything that is not public."""

from jobmill.adapters.http_client.address_guard import NETWORKS_SETTING, AddressGuard, parse_networks
from jobmill.adapters.http_client.bounds import WebBounds
from jobmill.adapters.http_client.web_client import AiohttpWebClient, open_web_client

__all__ = [
    "NETWORKS_SETTING",
    "AddressGuard",
    "AiohttpWebClient",
    "WebBounds",
    "open_web_client",
    "parse_networks",
]
