"""Texts and calls through Twilio, or whoever speaks as it does."""

from jobmill.adapters.twilio.account import TwilioAccount, read_account
from jobmill.adapters.twilio.carriers import TwilioCalls, TwilioTexts

__all__ = ["TwilioAccount", "TwilioCalls", "TwilioTexts", "read_account"]
