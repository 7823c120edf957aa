"""Writes docs/drivers.md from the results that tests/drivers/run has kept."""

import os

from tests.drivers import results
from tests.drivers.harness import SETTINGS

_PATH = f"{os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))}/docs/drivers.md"
_HEAD = """# Drivers

Each driver runs the same program against PostgreSQL itself and past pgsteer, and what the application sees is
compared, check by check: values, types, error codes, notices, row counts. Prepared statements are on everywhere.
Made by `tests/drivers/run`, with the drivers' own test suites by `tests/drivers/run --suites`; do not edit.

A number is how many of the checks gave past pgsteer what they give without it.

"""


def write():
    """Writes the document anew."""
    kept = results.kept()
    with open(_PATH, "w") as file:
        file.write(_HEAD + _columns() + "\n## What applications do\n\n" + _table(kept, "exercise"))
        if any(result.program == "suite" for result in kept):
            file.write("\n## The drivers' own test suites\n\nCounted are the tests that pass, twice, without pgsteer.\n\n"
                       + _table(kept, "suite"))
        file.write("\n## What differs\n\n" + _differences(kept))


def _columns():
    return "".join(f"- **{setting.name}**: {setting.title}\n" for setting in SETTINGS)


def _table(kept, program):
    rows = ["| Driver | Version | Checks | " + " | ".join(setting.name for setting in SETTINGS) + " |",
            "|---|---|--:|" + "--:|" * len(SETTINGS)]
    for result in kept:
        if result.program == program:
            cells = [_cell(result, setting.name) for setting in SETTINGS]
            rows.append(f"| {_title(result)} | {result.version} | {len(result.names())} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


_NAMES = {"node_postgres": "node-postgres", "postgres_js": "postgres.js", "psycopg3": "psycopg 3", "psycopg2": "psycopg 2",
          "tokio_postgres": "tokio-postgres", "ruby_pg": "ruby-pg", "dbd_pg": "DBD::Pg", "sqlalchemy": "SQLAlchemy", "django": "Django"}


def _title(result):
    return _NAMES.get(result.driver, result.driver)



def _cell(result, setting):
    if setting not in result.past:
        return "not run"
    different = len(result.different(setting))
    return "all" if not different else str(len(result.names()) - different)


def _differences(kept):
    lines = []
    for result in kept:
        for setting in result.past:
            names = result.different(setting)
            if names:
                lines.append(f"- {_title(result)}, {result.program}, {setting}: {_listed(names)}")
    return "\n".join(lines) + "\n" if lines else "Nothing.\n"


def _listed(names, most=12):
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
