"""Messages to devices through Firebase Cloud Messaging, HTTP v1."""

from jobmill.adapters.fcm.access import AccessTokens
from jobmill.adapters.fcm.carrier import FcmPushes
from jobmill.adapters.fcm.service_account import ServiceAccount, read_service_account

__all__ = ["AccessTokens", "FcmPushes", "ServiceAccount", "read_service_account"]
