"""What becomes of one record: a row, a rejection, or nothing that is stored.

Belongs here: the shapes that parsing hands to storing, and a row's text as COPY reads it. Does not
belong here: how a kind of source comes to an outcome, any SQL.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple


class Arrival(IntEnum):
    """What a record's received_at says of how far its source has come (rule 66)."""

    TOLD = 0  # a server says it
    CLAIMED = 1  # it is the device's own clock, and nobody confirms it
    NOT_COUNTED = 2  # the record is of a test or a sandbox


class Row(NamedTuple):
    """One accepted record, ready to be stored.

    `copy` is the row in COPY's text format in the order of `Target.columns`, without load_id and
    without the line end. `content_hash` covers everything in it but received_at: two rows with
    one hash are the same record. `touch` is what an incremental model must rebuild.
    """

    key: str  # 32 hex digits of the identity, see identity.record_key
    event_date: str  # YYYY-MM-DD, the partition
    received_us: int  # microseconds since 1970; of two bodies the earliest stays
    content_hash: str  # 32 hex digits
    copy: str
    touch: "Touch | None"
    arrival: Arrival = Arrival.TOLD


class Touch(NamedTuple):
    entity_type: str  # tenant_day, user, tenant, cdc_table, customer
    product: str | None
    tenant_id: str | None
    entity_id: str | None
    touched_on: str | None


class Rejected(NamedTuple):
    reason_code: str  # short, stable, in snake_case
    reason: str  # a sentence


class Ignored(NamedTuple):
    reason: str  # heartbeats, tombstones: no row, but counted


Outcome = Row | Rejected | Ignored


NULL = "\\N"  # in COPY's text format


def copy_field(value: str | None) -> str:
    """One value in COPY's text format."""
    if value is None:
        return NULL
    if "\\" in value or "\n" in value or "\t" in value or "\r" in value:
        value = value.replace("\\", "\\\\").replace("\n", "\\n")
        return value.replace("\t", "\\t").replace("\r", "\\r")
    return value


def copy_line(values: Sequence[str | None]) -> str:
    """A row in COPY's text format, without the line end."""
    return "\t".join(map(copy_field, values))
