"""The settings of the shop."""

import os
from urllib.parse import unquote, urlsplit

DATABASE_URL = os.environ["DATABASE_URL"]  # postgresql://user:password@host/name; Jobmill's is the same
_url = urlsplit(DATABASE_URL)

SECRET_KEY = os.environ.get("SECRET_KEY", "only for this machine")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["tests.projects.django_shop"]
ROOT_URLCONF = "tests.projects.django_shop.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.removeprefix("/"),
        "HOST": _url.hostname or "",
        "PORT": _url.port or "",
        "USER": unquote(_url.username or ""),
        "PASSWORD": unquote(_url.password or ""),
    }
}
