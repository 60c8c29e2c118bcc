"""The HTTP entrance: requests in, JSON out, every refusal a problem document (RFC 9457)."""
