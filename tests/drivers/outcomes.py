"""A pytest plugin: prints "OUTCOME NAME" for each test on descriptor 3, as tests/drivers/harness.py reads suites."""

import os


def pytest_runtest_logreport(report):
    if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
        name = report.nodeid.replace(" ", "_").encode("ascii", "backslashreplace").decode()
        os.write(3, f"{report.outcome} {name}\n".encode())
