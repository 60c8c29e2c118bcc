"""Bad input, made up by the thousand: it is refused with its reason, and nothing else happens."""
