"""What the Python drivers' programs share: naming checks, running them, printing what they saw.

Each check runs with a time limit; what it says is compared with and without pgsteer.
"""

import asyncio
import inspect
import os
import signal
import sys

_LIMIT = 20  # seconds a check
_checks = []


def check(function):
    """Registers a check by its function's name."""
    _checks.append(function)
    return function


def say(*what):
    """One line of the check's answer."""
    print(*what, flush=True)


def parameters():
    """Host, port, user, password, dbname, from libpq's variables."""
    return {"host": os.environ["PGHOST"], "port": int(os.environ["PGPORT"]), "user": os.environ["PGUSER"],
            "password": os.environ["PGPASSWORD"], "dbname": os.environ["PGDATABASE"]}


def failure(error):
    """An expected error as an application sees it: SQLSTATE and message."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return f"{type(error).__name__} {state} {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


def _time_out(*_):
    raise TimeoutError(f"not done within {_LIMIT} s")


def run():
    """Runs every check, or those named on the command line."""
    signal.signal(signal.SIGALRM, _time_out)
    for function in _checks:
        if len(sys.argv) == 1 or function.__name__ in sys.argv[1:]:
            say("==", function.__name__)
            signal.alarm(_LIMIT)
            try:
                asyncio.run(function()) if inspect.iscoroutinefunction(function) else function()
            except BaseException as error:  # also what a driver or the alarm raises
                say("!!", failure(error))
            signal.alarm(0)
