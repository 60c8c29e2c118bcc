"""The instruments: each measures one thing of one contender, once."""
