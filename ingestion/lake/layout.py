"""Which file of the lake a tenant's events of a day lie in.

A tenant with many events on a day has a file of its own; the others of that day share one, so that
files grow with the events and not with tenants x days. A shared file that grows too large is split
in two by the next bit of its tenants' hashes; its part is the bits that they have in common. What
lies in a day's folder decides too: a tenant keeps a file of its own, and parts are not merged again.
Nothing else is remembered, so a lake of the older layout, or one that a killed load left half
written, is followed from where it stands.
Belongs here: names, who shares, which files a change of the day rewrites. Does not belong here: rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from hashlib import blake2b
from typing import NamedTuple

SHARED = "_shared"  # beside ids of tenants as a value of the partition column `tenant`
OWN_ROWS = 1_000  # of one tenant and day are worth a file: it costs as much as so many rows
SHARED_ROWS = 20_000  # a larger file is split: an event of any of its tenants rewrites all of it
_HASH_BITS = 64


class DayFiles(NamedTuple):
    """The files of a day: tenants that have their own, parts of the shared ones."""

    own: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()


class Rewrite(NamedTuple):
    """Files of a day to write, in this order, with their tenants; files to remove afterwards."""

    written: dict[str, list[str]]
    removed: list[str]


def day_folder(day: date) -> str:
    return f"date={day.isoformat()}"


def own_file(day: date, tenant: str) -> str:
    return f"{day_folder(day)}/tenant={tenant}/events.parquet"


def shared_file(day: date, part: str = "") -> str:
    return f"{day_folder(day)}/tenant={SHARED}/events{part and '-'}{part}.parquet"


def day_files(names: Iterable[str]) -> DayFiles:
    """What a listing of a day's folder says; drafts and foreign files say nothing."""
    own: set[str] = set()
    parts: set[str] = set()
    for name in names:
        folder, _, file = name.rpartition("/")
        tenant = folder.rpartition("tenant=")[2]
        stem, _, part = file.removesuffix(".parquet").partition("-")
        if stem != "events" or not file.endswith(".parquet"):
            continue
        if tenant == SHARED:
            parts.add(part)
        elif not part:
            own.add(tenant)
    return DayFiles(frozenset(own), frozenset(parts))


def rewrite(
    day: date, rows: Mapping[str, int], touched: Iterable[str], existing: DayFiles
) -> Rewrite:
    """What a change of some tenants' events makes due; `rows` counts each tenant's of that day.

    A tenant with a file of its own also makes its part due: a killed load may have left it in both.
    """
    own = {tenant for tenant, count in rows.items() if tenant in existing.own or count >= OWN_ROWS}
    due = set(touched) | (own - existing.own)
    written = {own_file(day, tenant): [tenant] for tenant in sorted(due & own)}
    removed = [own_file(day, tenant) for tenant in sorted(due & existing.own - rows.keys())]
    sharing = {tenant: _hash_bits(tenant) for tenant in sorted(rows.keys() - own)}
    for bits in sorted({_part_of(_hash_bits(tenant), existing.parts) for tenant in due}):
        parts = dict(_split(bits, sharing, rows))
        written |= {shared_file(day, part): tenants for part, tenants in parts.items()}
        removed += (
            shared_file(day, part)
            for part in sorted(existing.parts - parts.keys())
            if part.startswith(bits)
        )
    return Rewrite(written, removed)


def replaced(existing: DayFiles, day: date, tenants: Iterable[str]) -> Iterator[str]:
    """The files in which some tenants' events of a day may lie, if these are all of the day."""
    yield from (own_file(day, tenant) for tenant in sorted(existing.own & set(tenants)))
    yield from (shared_file(day, part) for part in sorted(existing.parts))


def _part_of(bits: str, parts: Iterable[str]) -> str:
    """The part of a tenant, or the largest one that is free for it.

    Where a killed load left a part beside those it was split into, it is the undivided one.
    """
    found = [part for part in parts if bits.startswith(part)]
    if found:
        return min(found, key=len)
    return next(
        bits[:length]
        for length in range(_HASH_BITS + 1)
        if not any(part.startswith(bits[:length]) for part in parts)
    )


def _split(
    part: str, sharing: Mapping[str, str], rows: Mapping[str, int]
) -> Iterator[tuple[str, list[str]]]:
    """Parts of this one and their tenants, of those that share, as small as they have to be."""
    within = {tenant: bits for tenant, bits in sharing.items() if bits.startswith(part)}
    if len(within) > 1 and sum(rows[tenant] for tenant in within) > SHARED_ROWS:
        yield from _split(f"{part}0", within, rows)
        yield from _split(f"{part}1", within, rows)
    elif within:
        yield part, list(within)


def _hash_bits(tenant: str) -> str:
    digest = blake2b(tenant.encode(), digest_size=_HASH_BITS // 8).digest()
    return f"{int.from_bytes(digest, 'big'):0{_HASH_BITS}b}"
