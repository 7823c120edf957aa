"""Free TCP ports, no two of them to tests that run at the same time."""

import atexit
import random
import socket

# Below the range the kernel gives to outgoing connections, so that none of those takes one.
_FIRST, _LAST = 20000, 32000


def _reserve(port):
    # An abstract unix socket is a lock that the kernel drops with the process.
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0pgsteer-test-port-{port}")
    except OSError:
        lock.close()
        return False
    atexit.register(lock.close)  # and is kept open until then
    return True


def _is_bindable(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A port that nothing listens on and that no other test is given until this process ends."""
    for _ in range(1000):
        port = random.randrange(_FIRST, _LAST)
        if _reserve(port) and _is_bindable(port):
            return port
    raise RuntimeError("no free port between %d and %d" % (_FIRST, _LAST))
