"""Handlers for a child process to import."""

import ctypes
import logging
import os
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

from jobmill.application.handlers import JobContext, JobHandlers, PermanentFailure, RetryAfter

handlers = JobHandlers()


@handlers.register("work", process=True)
def work(payload: dict[str, Any], job: JobContext) -> object:
    return getattr(Deeds, payload["deed"])(job)


def plain(payload: dict[str, Any]) -> object:
    """Registered without the decorator's form, so that its name stands for the function alone."""
    return payload


handlers.register("plain", process=True)(plain)


class Deeds:
    """What a handler may do."""

    @staticmethod
    def pid(_job: JobContext) -> object:
        return os.getpid()

    @staticmethod
    def context(job: JobContext) -> object:
        facts = (job.job_id, job.type, job.attempt, job.max_attempts, job.idempotency_key)
        return [*map(str, facts), job.correlation_id, job.deadline.isoformat(), job.cancelled]

    @staticmethod
    def spin(job: JobContext) -> object:
        job.progress(0.1, str(os.getpid()))
        while True:
            pass

    @staticmethod
    def spin_with_another(job: JobContext) -> object:
        other = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
        job.progress(0.1, f"{os.getpid()} {other.pid}")
        while True:
            pass

    @staticmethod
    def until_cancelled(job: JobContext) -> object:
        job.progress(0.1, str(os.getpid()))
        while not job.cancelled:
            threading.Event().wait(0.01)
        return "left in time"

    @staticmethod
    def exits(_job: JobContext) -> object:
        os._exit(3)

    @staticmethod
    def crashes(_job: JobContext) -> object:
        return ctypes.string_at(0)

    @staticmethod
    def raises(_job: JobContext) -> object:
        raise ValueError("boom")

    @staticmethod
    def wants_to_end_the_process(_job: JobContext) -> object:
        raise SystemExit(3)

    @staticmethod
    def gives_up(_job: JobContext) -> object:
        raise PermanentFailure("card declined")

    @staticmethod
    def later(_job: JobContext) -> object:
        raise RetryAfter(timedelta(seconds=7), "busy")

    @staticmethod
    def for_nothing(_job: JobContext) -> object:
        raise RetryAfter(timedelta(seconds=7), "busy", counts=False)

    @staticmethod
    def too_much(_job: JobContext) -> object:
        return "x" * 20_000

    @staticmethod
    def transaction(job: JobContext) -> object:
        return job.transaction()

    @staticmethod
    def level(_job: JobContext) -> object:
        return logging.getLogger().level

    @staticmethod
    def logs(job: JobContext) -> object:
        job.log.info("half of %s", "it")
        job.log.debug("nobody asked")
        return None
