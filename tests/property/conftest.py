"""Settings of the properties: no example is refused for being slow, since machines are shared."""

from hypothesis import settings

settings.register_profile("jobmill", deadline=None)
settings.load_profile("jobmill")
