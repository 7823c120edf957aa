"""The text and the tables of docs/failover.md, in two parts that are written apart: pgsteer's and the peers'."""

from tests.support.fault_load import AFTERMATH, PATIENCE

PEERS_HEADING = "## The same through other proxies\n"
_COLUMNS = ("writes without service", "reads without service", "slowest statement", "errors", "acknowledged writes",
            "lost", "doubled")

_HEAD = """# What clients see when servers fail

Made by `tests/faults`: one primary and two standbys on one machine with {cores} cores, default settings, 50 clients
with one connection each. Half of them insert rows with ids of their own, the others read; each waits 20 ms between two
statements. *Without service* is the longest time in which no client's write, or read, was answered. Every id
that was acknowledged is looked for at the end: *lost* ones are missing on the primary, *doubled* ones are there twice.

A statement in flight on a primary that goes may have had its effect: it is not repeated, and its client gets 08006 or
08007 and keeps its connection ([operations](operations.md#while-there-is-no-primary)). Replication is asynchronous
here: a crash can lose what no standby had received yet, whatever a proxy does. Where a server is cut off or refuses,
a relay stands between pgsteer and that server alone: replication goes on, and the relay costs some time of its own.

"""

_PEERS_HEAD = PEERS_HEADING + """
Made by `tests/faults --peers` on a machine with {cores} cores, with the same load and faults. A client whose
connection is lost makes a new one, and tries every 100 ms until it has it. Each statement and each attempt that fails
is an error, counted by its SQLSTATE. A connection that broke without one is a *broken connection*; an attempt to
connect is *no connection*, for libpq tells no SQLSTATE there. The load goes on for at least {aftermath} s after the fault, so that health checks come to their end; recovery that
takes longer than {patience} s is not waited for. Errors of clients that cannot write grow with that time.

- **PgBouncer {pgbouncer} and HAProxy {haproxy}**. PgBouncer does not split: the clients that write have one DSN, those
  that read another. It is in transaction mode with its defaults, but for `server_login_retry = 1` in place of 15 s.
  It connects to HAProxy, which has the settings of Patroni's documentation, but checks each second in place of every
  third (`inter 1s fall 2 rise 1 on-marked-down shutdown-sessions`): it asks an HTTP server beside each PostgreSQL
  server, which answers as Patroni does. Neither knows how far a standby has replayed, nor whether it still follows
  the primary there is: they go on reading from it.
- **Pgpool-II {pgpool}** in streaming replication mode with load balancing. Health and replication are checked each
  second (by default health is not), with a timeout of 2 s and two retries a second apart. So that a restart is not
  taken for a crash, `failover_on_backend_error` and `failover_on_backend_shutdown` are off. `auto_failback` is on with
  an interval of 5 s, `search_primary_node_timeout` is 30 s, `delay_threshold` 10 MB, and there are 64 processes. No
  `failover_command`: the scenario promotes. Where a primary hangs or is cut off, its replication check waits for that
  server's answer without a limit, and failover for the check: with `sr_check_period = 0`, which gives up
  `delay_threshold` and `auto_failback`, writes came back 11 s after the primary was stopped by SIGSTOP.
  After a restart of the primary some sessions stay *without an answer*: Pgpool-II does not read what their clients
  sent, and waits for something else.

"""


def _head_of_table(*columns):
    return f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"


def _time(seconds):
    return f"{seconds:.2f} s" if seconds < PATIENCE else f"not within {PATIENCE} s"


def row(scenario, peer, o):
    """One line of pgsteer's table (no `peer`) or of the peers'."""
    errors = [f"{count} × {what}" for what, count in sorted(o.errors.items())]
    errors += [f"not within {PATIENCE} s: {failure}" for failure in o.failures]
    cells = [_time(o.write_gap), _time(o.read_gap), _time(o.slowest),
             ", ".join(errors) or "none", o.written, o.lost, o.doubled]
    return f"| {' | '.join(map(str, [scenario, *([peer] if peer else []), *cells]))} |\n"


def row_without(scenario, peer, why):
    """The line of a peer that cannot take part."""
    return f"| {scenario} | {peer} | {why}{' |' * len(_COLUMNS)}\n"


def write(document, rows, cores, peer_versions=None):
    """Writes one of the two parts of the document, that of the peers where their versions are given."""
    text = document.read_text(encoding="utf-8")
    own, heading, peers = text.partition(PEERS_HEADING)
    if peer_versions:
        peers = (_PEERS_HEAD.format(cores=cores, patience=PATIENCE, aftermath=AFTERMATH, **peer_versions)
                 + _head_of_table("what happens", "through", *_COLUMNS) + rows)
        document.write_text(own.rstrip("\n") + "\n\n" + peers, encoding="utf-8")
    else:
        own = _HEAD.format(cores=cores) + _head_of_table("what happens", *_COLUMNS) + rows
        document.write_text(own + ("\n" + heading + peers if heading else ""), encoding="utf-8")
