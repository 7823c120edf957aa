"""Tables of docs/performance.md from the yardstick's measurements. Used by bench/run."""
import json
import os
import pathlib
import re
import statistics

NAMES = {"pgsteer": "pgsteer", "haproxy": "HAProxy", "pgbouncer": "PgBouncer"}


class Results:
    """Medians by kind, scenario and target."""

    def __init__(self, path):
        self.rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in self.rows:
            if "instr_u" in row:
                row["instructions"] = row["instr_u"] + row["instr_k"]

    def median(self, kind, scenario, target, key):
        values = [r[key] for r in self.rows if r["kind"] == kind and r["scenario"] == scenario and r["target"] == target
                  and r.get(key) is not None]
        return statistics.median(values) if values else None

    def multiple(self, kind, scenario, key, reference):
        """The median over the rounds of pgsteer's value divided by the reference's."""
        rounds = {}
        for row in self.rows:
            if row["kind"] == kind and row["scenario"] == scenario and row.get(key):
                rounds.setdefault(row.get("round", 0), {})[row["target"]] = row[key]
        found = [r["pgsteer"] / r[reference] for r in rounds.values() if "pgsteer" in r and reference in r]
        return statistics.median(found) if found else None

    def has(self, kind, key):
        return any(row["kind"] == kind and row.get(key) is not None for row in self.rows)

    def errors(self):
        return [f"{r['scenario']} {r['target']}: {r['error']}" for r in self.rows if "error" in r]


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def cost_table(results, scenarios, kind, key, digits):
    """Medians, and pgsteer's as a multiple of each peer's in the same round."""
    rows = []
    for scenario in scenarios:
        values = [results.median(kind, scenario, name, key) for name in NAMES]
        multiples = [results.multiple(kind, scenario, key, name) for name in NAMES if name != "pgsteer"]
        rows.append([f"`{scenario}`", *(number(v, digits) for v in values), *(number(m, 2) for m in multiples)])
    return table(["scenario", *NAMES.values(), "pgsteer / HAProxy", "pgsteer / PgBouncer"], rows)


def speed_table(results, scenarios):
    rows = []
    for scenario in scenarios:
        cells = [number(results.median("run", scenario, name, "tps")) for name in NAMES]
        cells += [number(results.median("run", scenario, name, "p99_ms"), 2) for name in NAMES]
        rows.append([f"`{scenario}`", *cells])
    return table(["scenario", *(f"{n}, per s" for n in NAMES.values()), *(f"{n}, p99 ms" for n in NAMES.values())], rows)


def idle_table(results):
    rows = [[label, *(number(results.median("idle", kind, name, "bytes_client")) for name in NAMES)]
            for kind, label in (("idle", "after login"), ("idle-used", "after a query each"))]
    return table(["bytes for each idle client", *NAMES.values()], rows)


def report(results, scenarios, command, pgbouncer):
    """All tables as Markdown, with what they were made by and on."""
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    parts = [f"Made by `{command}` on {os.cpu_count()} cores ({processor[1] if processor else os.uname().machine}), kernel"
             f" {os.uname().release.split('-')[0]}, beside HAProxy and PgBouncer {pgbouncer}. A dash: the proxy cannot do it."]
    if results.has("counts", "instructions"):
        parts += ["### Instructions per transaction, user and kernel",
                  cost_table(results, scenarios, "counts", "instructions", 0)]
    parts += ["### System calls per transaction, under load", cost_table(results, scenarios, "counts", "syscalls", 2),
              "### CPU time of the proxy per transaction, µs",
              "The multiples are taken inside a round, so that what else the machine did touches both sides alike."]
    if not results.has("counts", "instructions"):
        parts[-1] += " This machine has no hardware counters: CPU time stands for instructions."
    parts += [cost_table(results, scenarios, "run", "cpu_us", 1), "### Memory", idle_table(results),
              "### Transactions per second and latency",
              "A hint only: client, proxy and servers share the cores.", speed_table(results, scenarios)]
    return "\n\n".join(parts)
