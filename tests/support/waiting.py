"""Waiting for conditions, never for time. Every time limit of the tests is scaled here."""

import os
import time

SLOWDOWN = float(os.environ.get("PGSTEER_TEST_SLOWDOWN", "1"))


def scaled(seconds):
    """A time limit, stretched for builds that run slower (PGSTEER_TEST_SLOWDOWN)."""
    return seconds * SLOWDOWN


def wait_until(condition, timeout=10, message="condition", interval=0.02):
    """Calls `condition` until what it returns is true, and returns that. A message may be a function that makes it."""
    deadline = time.monotonic() + scaled(timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            said = message() if callable(message) else message
            raise AssertionError(f"not within {scaled(timeout):g} s: {said} (last: {value!r})")
        time.sleep(interval)
