"""The stack of ``docker-compose.yml``, from binaries of this machine."""
