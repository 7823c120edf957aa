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


_EXERCISES, _SUITES, _DIFFERENCES = "## What applications do", "## The drivers' own test suites", "## What differs"


def write():
    """Writes the document anew; what it says of programs whose results are not kept here stays."""
    kept, older = results.kept(), _older()
    suites = _table(kept, "suite", older.get(_SUITES, []))
    with open(_PATH, "w") as file:
        file.write(f"{_HEAD}{_columns()}\n{_EXERCISES}\n\n" + _table(kept, "exercise", older.get(_EXERCISES, [])))
        if suites.count("\n") > 2:
            file.write(f"\n{_SUITES}\n\nCounted are the tests that pass, twice, without pgsteer.\n\n{suites}")
        file.write(f"\n{_DIFFERENCES}\n\n" + _differences(kept, older.get(_DIFFERENCES, [])))


def _older():
    """{heading: lines} of the document as it stands. Results are kept in a cache, which a fresh clone has not."""
    sections, heading = {}, None
    if os.path.exists(_PATH):
        for line in open(_PATH).read().splitlines():
            heading = line if line.startswith("## ") else heading
            sections.setdefault(heading, []).append(line)
    return sections


def _columns():
    return "".join(f"- **{setting.name}**: {setting.title}\n" for setting in SETTINGS)


def _table(kept, program, older):
    head = ["| Driver | Version | Checks | " + " | ".join(setting.name for setting in SETTINGS) + " |",
            "|---|---|--:|" + "--:|" * len(SETTINGS)]
    rows = {line.split(" | ")[0][2:]: line for line in older if line.startswith("| ") and line != head[0]}
    for result in kept:
        if result.program == program:
            cells = [_cell(result, setting.name) for setting in SETTINGS]
            rows[_title(result)] = f"| {_title(result)} | {result.version} | {len(result.names())} | " + " | ".join(cells) + " |"
    return "\n".join(head + [rows[title] for title in sorted(rows, key=str.lower)]) + "\n"


_NAMES = {"node_postgres": "node-postgres", "postgres_js": "postgres.js", "psycopg3": "psycopg 3", "psycopg2": "psycopg 2",
          "tokio_postgres": "tokio-postgres", "ruby_pg": "ruby-pg", "dbd_pg": "DBD::Pg", "sqlalchemy": "SQLAlchemy", "django": "Django",
          "lib_pq": "lib/pq"}


def _title(result):
    return _NAMES.get(result.driver, result.driver)


def _cell(result, setting):
    if setting not in result.past:
        return "not run"
    different = len(result.different(setting))
    return "all" if not different else str(len(result.names()) - different)


def _differences(kept, older):
    known = tuple(f"- {_title(result)}, {result.program}, " for result in kept)
    lines = [line for line in older if line.startswith("- ") and not line.startswith(known)]
    for result in kept:
        for setting in result.past:
            names = result.different(setting)
            if names:
                lines.append(f"- {_title(result)}, {result.program}, {setting}: {_listed(names)}")
    # By driver and program, each in the order its settings were run.
    return "\n".join(sorted(lines, key=lambda line: line.lower().split(", ")[:2])) + "\n" if lines else "Nothing.\n"


def _listed(names, most=12):
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
