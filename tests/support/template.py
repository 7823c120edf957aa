"""The data directory every test server is copied from. Made once by initdb, then kept in a cache."""

import fcntl
import glob
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile

PG_VERSION = 15
PG_BIN = os.environ.get("PGSTEER_TEST_PGBIN", f"/usr/lib/postgresql/{PG_VERSION}/bin")
SUPERUSER = "postgres"
_locks = {}  # of the scratch directories of this process
USER, PASSWORD, DATABASE = "app", "s3cret pass", "app"

# What every test finds: roles by the way they log in, and an extension to ask servers with.
_SETUP = f"""
CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_read_all_stats;
CREATE ROLE other LOGIN PASSWORD 'other pass';
CREATE ROLE replicator LOGIN REPLICATION;
CREATE ROLE trusted LOGIN;
CREATE ROLE plain LOGIN PASSWORD 'plain pass';
CREATE ROLE tls_only LOGIN PASSWORD 'tls pass';
CREATE ROLE quiet LOGIN PASSWORD 'quiet pass' IN ROLE pg_read_all_stats;
ALTER ROLE quiet SET log_statement = 'none';
CREATE ROLE analyst NOLOGIN;
GRANT analyst TO {USER};
SET password_encryption = 'md5';
CREATE ROLE old_style LOGIN PASSWORD 'md5 pass';
CREATE DATABASE {DATABASE} OWNER {USER};
CREATE DATABASE second OWNER {USER};
"""
_SETUP_DATABASE = f"""
CREATE EXTENSION pg_stat_statements;
ALTER SCHEMA public OWNER TO {USER};
GRANT ALL ON SCHEMA public TO PUBLIC;
"""
_HBA = """
local   all         all                      trust
host    replication replicator  127.0.0.1/32 trust
host    all         trusted     127.0.0.1/32 trust
host    all         plain       127.0.0.1/32 password
host    all         old_style   127.0.0.1/32 md5
hostssl all         tls_only    127.0.0.1/32 scram-sha-256
host    all         tls_only    127.0.0.1/32 reject
host    all         all         127.0.0.1/32 scram-sha-256
"""


def server_user():
    """Whom to run PostgreSQL as: it refuses root, so then `postgres`."""
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def as_server_user(command, death_signal="INT"):
    """The command line that runs `command` as the server's user and ends it when the test dies."""
    prefix = ["setpriv", "--pdeathsig", death_signal]
    if os.geteuid() == 0:
        prefix += ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    return prefix + command


def own(path):
    """Gives a file or tree to the server's user."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "postgres:postgres", path], check=True)


def scratch_directory(prefix):
    """A new directory that the server's user owns: in memory where there is plenty, for copying is slow."""
    in_memory = "/dev/shm"
    if not os.access(in_memory, os.W_OK) or shutil.disk_usage(in_memory).free < 4 << 30:
        in_memory = None
    parent = os.environ.get("PGSTEER_TEST_TMPDIR", in_memory) or tempfile.gettempdir()
    _remove_abandoned(parent, prefix)
    path = tempfile.mkdtemp(prefix=prefix, dir=parent)
    os.chmod(path, 0o755)
    own(path)
    lock = open(f"{path}.new", "w")  # the kernel drops the lock with this process, however that ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(f"{path}.new", f"{path}.lock")  # never seen without its lock
    _locks[path] = lock
    return path


def remove_scratch_directory(path):
    """Ends what scratch_directory() began."""
    lock = _locks.pop(path, None)
    if lock is not None:
        shutil.rmtree(path, ignore_errors=True)
        os.unlink(f"{path}.lock")
        lock.close()


def _remove_abandoned(parent, prefix):
    """Removes what killed tests have left: their locks are free."""
    for path in glob.glob(f"{parent}/{prefix}*.lock"):
        try:
            with open(path) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.removesuffix(".lock"), ignore_errors=True)
                os.unlink(path)
        except (BlockingIOError, FileNotFoundError, PermissionError):
            continue


def _run(command, **kwargs):
    done = subprocess.run(as_server_user(command), capture_output=True, text=True, cwd="/", **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")
    return done


def _build(data):
    _run([f"{PG_BIN}/initdb", "-D", data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "-N",
          "--wal-segsize=4", "--auth=trust"])
    with open(f"{data}/pg_hba.conf", "w") as hba:
        hba.write(_HBA)
    single = [f"{PG_BIN}/postgres", "--single", "-j", "-F", "-D", data,
              "-c", "shared_preload_libraries=pg_stat_statements", "-c", "exit_on_error=on",
              "-c", "max_connections=10"]  # a standby must allow at least as many as are recorded here
    for database, statements in (("postgres", _SETUP), (DATABASE, _SETUP_DATABASE)):
        text = "\n\n".join(s.strip() + ";" for s in statements.split(";") if s.strip()) + "\n\n"
        _run(single + [database], input=text)


def _cache_directory():
    default = f"{tempfile.gettempdir()}/pgsteer-test-cache-{os.geteuid()}"
    path = os.environ.get("PGSTEER_TEST_CACHE", default)
    os.makedirs(path, mode=0o755, exist_ok=True)
    return path


def template():
    """The path of the template data directory, made by the first test that asks."""
    cache = _cache_directory()
    with open(__file__, "rb") as source:
        version = hashlib.sha256(source.read()).hexdigest()[:12]
    ready = f"{cache}/template-{version}"
    with open(f"{cache}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(ready):
            # initdb runs where its user may write; the cache need not be such a place.
            scratch = scratch_directory("pgsteer-template-")
            try:
                _build(f"{scratch}/data")
                shutil.rmtree(f"{ready}.new", ignore_errors=True)
                subprocess.run(["cp", "-a", f"{scratch}/data", f"{ready}.new"], check=True)
                os.rename(f"{ready}.new", ready)
            finally:
                remove_scratch_directory(scratch)
    return ready
