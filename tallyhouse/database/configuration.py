"""How the embedded server is set: durable, local, sized to the machine.

Belongs here: initdb's options, `postgresql.conf`, `pg_hba.conf`. Does not belong here: processes.
"""

import os
import shutil
from pathlib import Path

SETTINGS = """
# Written once when the cluster was made; change freely, then `tallyhouse db stop` and `start`.
listen_addresses = '127.0.0.1'
unix_socket_permissions = 0770
max_connections = 100
password_encryption = scram-sha-256

# What was committed stays, whatever happens to the process or the machine.
fsync = on
synchronous_commit = on
full_page_writes = on
# Nothing replicates from here, so a table filled in the transaction that made it skips the WAL.
wal_level = minimal
max_wal_senders = 0
# Compressing page images took a fifth of a load's time in the server; WAL is recycled anyway.
wal_compression = off
max_wal_size = 4GB
# Loads are hourly. Looked for every minute, partitions that a load is still filling were analysed
# again and again beside it, which took up to a third of the server's time.
autovacuum_naptime = 5min
checkpoint_timeout = 15min

shared_buffers = {shared_buffers}MB
effective_cache_size = {cache}MB
work_mem = {work_mem}MB
maintenance_work_mem = {maintenance}MB
dynamic_shared_memory_type = {dynamic_shared_memory}
random_page_cost = 1.1
# Short queries over many day partitions: compiling them costs more than it gives.
jit = off
max_locks_per_transaction = 1024

timezone = 'UTC'
log_timezone = 'UTC'
# A query whose client is gone is ended instead of holding its locks.
client_connection_check_interval = 1s
log_min_messages = warning
log_line_prefix = '%m [%p] '
"""

ACCESS = """
# A password for everybody, over the socket too.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


# At every start, whatever the files say: the server's own words go to `data/log`, a JSON object a line. What
# the logins of people and BI tools ask is among them (`governance.statements`), readable from within the database.
LOG_FOLDER = "log"
STATEMENT_LOG = (
    "logging_collector=on",
    "log_destination=jsonlog",
    f"log_directory={LOG_FOLDER}",
    "log_filename=tallyhouse-%Y%m%d-%H%M%S.log",
    "log_rotation_age=1d",
    "log_rotation_size=100MB",
)


def initdb_options(role: str, password_file: Path) -> list[str]:
    """One encoding and one order of letters on every machine: UTF-8, by code point."""
    return [
        f"--username={role}",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--auth=scram-sha-256",
    ]


def write(data: Path) -> None:
    """Append our settings to the new cluster's files (the last word counts)."""
    memory = _memory_megabytes()
    text = SETTINGS.format(
        shared_buffers=max(128, min(memory // 8, 1024)),
        cache=max(512, memory // 2),
        work_mem=max(16, min(memory // 256, 64)),
        maintenance=max(64, min(memory // 32, 256)),
        dynamic_shared_memory=_dynamic_shared_memory(),
    )
    with (data / "postgresql.conf").open("a") as file:
        file.write(text)
    (data / "pg_hba.conf").write_text(ACCESS.lstrip())


def _memory_megabytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (OSError, ValueError):
        return 4096


def _dynamic_shared_memory() -> str:
    """A container often has 64 MB of /dev/shm, too little for a parallel query: use files then."""
    try:
        roomy = shutil.disk_usage("/dev/shm").total >= 2**28
    except OSError:
        return "posix" if os.uname().sysname == "Darwin" else "mmap"
    return "posix" if roomy else "mmap"
