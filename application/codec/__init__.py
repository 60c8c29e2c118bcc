"""Everything that turns values into bytes and back: JSON, payloads, parcels."""
