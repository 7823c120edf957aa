"""Asks `pgsteer route --json` where it would have sent what the witness has judged, and counts its mistakes."""

import collections
import json
import os
import re
import subprocess

_READ = re.compile(r"^(SELECT|COPY|EXPLAIN|SHOW)\b")


class Router:
    """A `pgsteer route --json`; with the URL of a catalog it is to be asked before each statement runs."""

    def __init__(self, pgsteer, catalog=None):
        arguments = ["--catalog", catalog] if catalog else []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PGSTEER_")}
        self._process = subprocess.Popen([pgsteer, "route", "--json", *arguments], stdin=subprocess.PIPE, env=environment,
                                         stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="surrogateescape")

    def ask(self, sql, session):
        """The target and the reason."""
        self._process.stdin.write(json.dumps({"sql": sql, "session": session}, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return {"target": answer.get("target", "primary"), "reason": answer.get("reason", answer.get("error"))}

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def ask_pgsteer(pgsteer, records):
    """Adds `target` and `reason` to each record, in order."""
    router = Router(pgsteer)
    for record in records:
        record.update(router.ask(record["sql"], record["session"]))
    router.stop()


def is_right_read(record):
    """A read that a replica would have answered as the primary did: what can be taken off the primary."""
    return (record["verdict"] in ("right", "order") and not record["sqlstate"] and "block" not in record
            and bool(_READ.match(record["tag"])))


def _one_line(text, size=160):
    return " ".join(text.split())[:size]


def _listed(records, limit=None):
    lines = []
    for record in records[:limit]:
        lines.append(f"  {record['session']}: {_one_line(record['sql'])}\n"
                     f"      {record['verdict']}: {_one_line(record.get('why') or record.get('standby', ''), 200)}; "
                     f"sent there for: {record['reason']}")
    return lines


def report(records, examples=3):
    """The text of the report, and how many statements would have gone silently wrong."""
    sent = [r for r in records if r["target"] == "replica" and "verdict" in r]
    by = collections.Counter((r["verdict"], "read-only block" if "block" in r else "outside blocks") for r in records)
    wrong = [r for r in sent if r["verdict"] == "wrong"]
    refused = [r for r in sent if r["verdict"] in ("refused", "another error")]
    stray = [r for r in sent if r["verdict"] == "in a block"]
    right = [r for r in records if is_right_read(r)]
    offloaded = [r for r in right if r["target"] == "replica"]
    lines = [f"{len(records)} statements"]
    lines += [f"  {count:7} {verdict}, {where}" for (verdict, where), count in sorted(by.items())]
    lines += ["", f"SILENTLY WRONG, sent to a replica: {len(wrong)}", *_listed(wrong)]
    lines += ["", f"REFUSED, sent to a replica (a proxy retries them): {len(refused)}", *_listed(refused)]
    lines += ["", f"IN A READ-WRITE BLOCK, sent to a replica: {len(stray)}", *_listed(stray)]
    share = 100 * len(offloaded) / max(1, len(right))
    lines += ["", f"RIGHT READS: {len(right)}, sent to a replica: {len(offloaded)} ({share:.1f} %)"]
    lines += _kept(right, examples)
    return "\n".join(lines) + "\n", len(wrong)


def _kept(right, examples):
    """Why right reads were kept on the primary, heaviest reason first."""
    kept = collections.defaultdict(list)
    for record in right:
        if record["target"] == "primary":
            kept[record["reason"]].append(record)
    lines = ["right reads kept on the primary, by reason:"]
    for reason, these in sorted(kept.items(), key=lambda item: -len(item[1])):
        lines.append(f"  {len(these):6} {reason}")
        lines += [f"             {r['session']}: {_one_line(r['sql'], 110)}" for r in these[:examples]]
    return lines
