"""Whose events a right warehouse counts and does not store: people who had refused when they did something.

The answers are what the product's table of users held, committed change by change. The first answer holds back
to the beginning; whoever is in no such table, or was never asked, refused nothing. Changes the events, so that every
truth about use is made without those.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from simulator.sources.debezium import ChangeLog
from simulator.sources.events import Event

TABLE, ANSWER = "users", "is_consented"


def answers(log: ChangeLog) -> dict[str, list[tuple[int, bool]]]:
    """User → what they said from when on, in order; what they said before the window is told at its start."""
    found: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for change in sorted(log.changes, key=lambda change: change.at):
        if change.table != TABLE or change.op == "d" or change.row.get(ANSWER) is None:
            continue
        (user,) = change.key.values()
        said = found[str(user)]
        at = max(change.at, log.window.start)
        if said and said[-1][0] == at:
            said.pop()
        said.append((at, bool(change.row[ANSWER])))
    return found


def had_agreed(said: list[tuple[int, bool]], at: int) -> bool:
    """Whether the last answer until then, or else the first one, was a yes."""
    place = bisect_right(said, at, key=lambda answer: answer[0])
    return said[max(place - 1, 0)][1]


def leave_out_refused(events: list[Event], log: ChangeLog) -> int:
    """Mark the events that are only counted and take them out of the product's events; their number.

    Whom only such events would have identified stays a visitor of their own.
    """
    said = answers(log)
    for event in events:
        of_user = said.get(event.user_id or "", [(0, True)])
        event.is_refused = not had_agreed(of_user, event.counted_at)
    kept = [event for event in events if not event.is_refused]
    known = {(e.tenant_id, e.anonymous_id) for e in kept if e.user_id is not None}
    for event in kept:
        device = event.anonymous_id
        if event.user_id is None and device is not None and (event.tenant_id, device) not in known:
            event.user = device
    refused = len(events) - len(kept)
    events[:] = kept
    return refused
