"""What a server's pgaudit logged is entered as a read of the relation that it names, once.

The lines are those of a real server (docs/audit.md), which no test needs. Belongs here: reading them. Does not belong
here: what else is logged and entered (`test_audit_log`).
"""

from pathlib import Path

import pytest

from governance.audit_log import Act
from governance.statements import Audited, acts_of

LINES = Path(__file__).with_name("pgaudit_lines.jsonl").read_bytes().splitlines()
EVENTS, USERS = ("core", "fact_events"), ("core", "dim_user")
AUDITED = Audited(
    {EVENTS: ("personal",), USERS: ("personal",)},
    {("core", "fact_events_2026"): EVENTS},
    frozenset({"reader"}),
)


def acts(lines: list[bytes]) -> list[Act]:
    return list(acts_of(lines, AUDITED, "warehouse"))


def told(lines: list[bytes]) -> list[tuple[str, str]]:
    return [(act.outcome, act.resource) for act in acts(lines)]


def of_session(number: int) -> list[bytes]:
    """The lines of one of the four sessions that were recorded, in the order of their beginnings."""
    sessions = list(dict.fromkeys(line.split(b'"session_id":')[1][:20] for line in LINES))
    return [line for line in LINES if sessions[number] in line]


def test_a_read_whose_statement_is_logged_is_entered_once() -> None:
    """A join; a block of code that reads what it puts together; what nobody's data is in."""
    assert told(of_session(0)) == [
        ("done", "core.dim_user, core.fact_events"),
        ("unknown", "unknown"),
        ("done", "core.fact_events"),
    ]


def test_reads_of_which_pgaudit_alone_tells() -> None:
    """Two statements alike, a view, a partition, a table made of another, a copy; the write is none."""
    users, events = ("done", "core.dim_user"), ("done", "core.fact_events")
    assert told(of_session(1)) == [users, users, users, events, users, users]


@pytest.mark.parametrize("session", [2, 3])
def test_neither_relation_nor_statement_need_be_logged(session: int) -> None:
    """Without `pgaudit.log_relation` the statement names it; without `pgaudit.log_statement` the line does."""
    assert told(of_session(session)) == [("done", "core.dim_user")]


def test_no_value_of_a_statement_is_kept() -> None:
    kept = [act.details["statement"] for act in acts(LINES)]
    assert "select ? , user_id from core . dim_user where user_id = ? ;" in kept
    assert "Ann" not in str(kept)
    assert "example" not in str(kept)
    assert kept[-1] == ""
