"""Who is meant: from one id to the person with all ids that are linked to it.

A person is a user, an employee, a customer, a client, a contributor or a lead of a product and tenant; or whom only a
device's id, a payment provider's or a token names. Belongs here: finding in what is stored. Does not belong here: the
ledger, removing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from ingestion.cdc.contract import CdcContract
from ingestion.erasing.ledger import Subject
from ingestion.erasing.records import TOKEN, person_columns
from ingestion.values.identity import is_placeholder, uuid_text
from tallyhouse.errors import TallyhouseError

Who = tuple[str, str, str, str]  # product, tenant, kind, source id
# Models that keep days whose events are gone: their user and their device, as expressions.
_HISTORY = {
    "intermediate.int_core__identifications_daily": ("held.user_id", "held.anonymous_id"),
    "intermediate.int_core__anonymous_days": ("null", "held.anonymous_id"),
    "core.fact_events": ("case when not held.is_anonymous then held.user_id end", "null"),
    "intermediate.int_core__user_days": (
        "case when not held.is_anonymous then held.user_id end",
        "null",
    ),
}


class Persons:
    """Everybody that the raw tables name. `linked` are ids of the same person."""

    def __init__(
        self, conn: psycopg.Connection[Any], cdc: Mapping[str, CdcContract], products: Sequence[str]
    ) -> None:
        self._conn, self._cdc, self._products = conn, cdc, list(products)
        self._persons: set[Who] = set()
        self._links: dict[Who, set[tuple[str, str]]] = defaultdict(set)
        self._same: dict[Who, set[Who]] = defaultdict(set)
        self._by_name: dict[str, set[Who]] = defaultdict(set)
        self._uuids: dict[Who, set[str]] = defaultdict(set)
        self._unnamed: set[Who] = set()  # whom models alone know, by their id for the user
        self._from_events()
        self._from_databases()
        self._from_webhooks()
        self._from_history()
        for who in self._persons:
            product, _, kind, source_id = who
            for name in (source_id, uuid_text(product, kind, source_id), *self._uuids[who]):
                self._by_name[name.lower()].add(who)
            for _, linked in self._links[who]:
                self._by_name[linked.lower()].add(who)

    def _add(self, who: Who) -> Who:
        self._persons.add(who)
        return who

    def _from_events(self) -> None:
        for product, tenant, user, anonymous in self._conn.execute(
            "select distinct product, tenant_id::text, user_source_id, anonymous_id from raw_events.events"
            " where product = any(%s) and coalesce(user_source_id, anonymous_id) is not null", (self._products,)
        ).fetchall():  # fmt: skip
            if user is None:
                self._add((product, tenant, "anonymous", anonymous))
                continue
            who = self._add((product, tenant, "user", user))
            if anonymous is not None:
                self._links[who].add(("anonymous", anonymous))
        for product, tenant, session, user in self._conn.execute(
            "select product, tenant_id::text, session_id, min(user_source_id) from raw_events.events"
            " where product = any(%s) and session_id is not null group by product, tenant_id, session_id"
            " having count(distinct user_source_id) = 1 and count(*) > count(user_source_id)", (self._products,)
        ).fetchall():  # fmt: skip
            self._links[product, tenant, "user", user].add(("session", session))

    def _from_databases(self) -> None:
        for (product, name), columns in person_columns().items():
            contract = self._cdc.get(product)
            if contract is None or name not in contract.tables or product not in self._products:
                continue
            table = contract.tables[name]
            own = [column for column in columns if column.column in table.primary_key]
            if not own or table.tenant is None:
                continue
            tokens = [
                n for n, c in table.columns.items() if c.personal == "token" and "name" not in n
            ]
            wanted = [
                own[0].column,
                table.tenant,
                *(c.column for c in columns if c.is_same_person),
                *tokens,
            ]
            parts = ", ".join(
                f"coalesce(after ->> '{column}', key ->> '{column}')" for column in wanted
            )
            query = f"select distinct {parts} from raw_cdc.changes where product = %s and table_name = %s"
            for source_id, tenant, *others in self._conn.execute(
                query.encode(), (product, name)
            ).fetchall():
                if source_id is None or tenant is None:
                    continue
                tenant_id = uuid_text(product, "tenant", tenant)
                who = self._add((product, tenant_id, own[0].kind, source_id))
                same = [column for column in columns if column.is_same_person]
                for column, value in zip(same, others, strict=False):
                    if value is not None:
                        other = (product, tenant_id, column.kind, value)
                        self._same[who].add(other)
                        self._same[other].add(who)
                for value in others[len(same) :]:
                    if value is not None and value.startswith(TOKEN):
                        self._links[who].add(("id", value))

    def _from_webhooks(self) -> None:
        holders: dict[tuple[str, str], set[tuple[str, str, str | None, str | None]]] = defaultdict(
            set
        )
        for product, account, customer, user, tenant in self._conn.execute(
            "select distinct product, account, customer_id, payload #>> '{data,object,metadata,user_id}',"
            " payload #>> '{data,object,metadata,tenant_id}' from raw_stripe.events"
            " where product = any(%s) and customer_id is not null", (self._products,)
        ).fetchall():  # fmt: skip
            holders[product, account].add((customer, account, user, tenant))
        users: dict[tuple[str, str], set[Who]] = defaultdict(set)
        for who in self._persons:
            if who[2] == "user":
                users[who[0], who[3].lower()].add(who)
        for (product, _), found in holders.items():
            for customer, account, user, tenant in found:
                if user is None:
                    continue
                tenant_id = uuid_text(product, "tenant", tenant) if tenant is not None else None
                for who in users[product, user.lower()]:
                    if tenant_id is None or who[1] == tenant_id:
                        self._links[who].add(("id", customer))
                        self._uuids[who].add(
                            uuid_text(product, "customer", f"{account}|{customer}")
                        )
        for product, project, ids in self._conn.execute(
            "select distinct product, project, array_remove(array[app_user_id, original_app_user_id]"
            " || array(select jsonb_array_elements_text(coalesce(aliases, '[]'))), null) from raw_revenuecat.events"
            " where product = any(%s)", (self._products,)
        ).fetchall():  # fmt: skip
            for source_id in ids:
                for who in users[product, source_id.lower()]:
                    for other in ids:
                        if not users[product, other.lower()] or other.lower() == source_id.lower():
                            self._links[who].add(("id", other))
                            self._uuids[who].add(
                                uuid_text(product, "customer", f"{project}|{other}")
                            )

    def _from_history(self) -> None:
        """Who is only left in what models keep of closed days; there a user has the id of the marts alone."""
        known = {
            (product, tenant, uuid_text(product, kind, source_id)): (
                product,
                tenant,
                kind,
                source_id,
            )
            for product, tenant, kind, source_id in sorted(self._persons, key=_order, reverse=True)
        }
        for relation, (user, anonymous) in _HISTORY.items():
            if self._conn.execute("select to_regclass(%s)", (relation,)).fetchone() == (None,):
                continue
            for product, tenant, user_id, device in self._conn.execute(
                f"select distinct held.product, held.tenant_id::text, {user}::text, {anonymous}::text"
                f" from {relation} as held inner join ops.closed_days as closed on held.product = closed.product"
                " and held.tenant_id = closed.tenant_id and closed.days @> held.event_date"
                " where held.product = any(%s)".encode(), (self._products,)
            ).fetchall():  # fmt: skip
                if user_id is None and device is None:
                    continue
                if user_id is None:
                    self._add((product, tenant, "anonymous", device))
                    continue
                who = known.get((product, tenant, user_id))
                if who is None:
                    who = known[product, tenant, user_id] = (product, tenant, "user", user_id)
                    self._unnamed.add(who)
                self._add(who)
                if device is not None:
                    self._links[who].add(("anonymous", device))

    @property
    def everybody(self) -> frozenset[Who]:
        """All that somebody may be named by."""
        return frozenset(self._persons)

    def find(self, named: str, product: str | None, tenant_id: str | None) -> list[Subject]:
        """The people of that id or token; raises TallyhouseError where there is nobody."""
        self._know_by_source_id(named.strip())
        found = {
            who
            for who in self._by_name.get(named.strip().lower(), ())
            if (product is None or who[0] == product) and (tenant_id is None or who[1] == tenant_id)
        }
        if not found or is_placeholder(named):
            raise TallyhouseError(
                f"Nobody of that id or token is stored ({_shown(named)}). Name a user_id as in core.dim_user, an id"
                " that a source gave, or a token; --product and --tenant must be the person's."
            )
        people: list[Subject] = []
        seen: set[Who] = set()
        for who in sorted(found, key=_order):
            if who in seen:
                continue
            group = self._group(who)
            seen |= group
            main = min(group, key=_order)
            subject = Subject(main[0], main[1], main[2], main[3])
            for of, tenant, kind, source_id in group:
                subject.ids.add((kind, source_id))
                subject.uuids.add(uuid_text(of, kind, source_id))
                for linked_kind, linked in self._links.get((of, tenant, kind, source_id), ()):
                    subject.ids.add((linked_kind, linked))
                    if linked_kind == "anonymous":
                        subject.uuids.add(uuid_text(of, "anonymous", linked))
                subject.uuids |= self._uuids.get((of, tenant, kind, source_id), set())
            people.append(subject)
        if product is None and len({subject.product for subject in people}) > 1:
            names = ", ".join(sorted({subject.product for subject in people}))
            raise TallyhouseError(
                f"People of several products have that id ({names}): say which with --product."
            )
        if (
            tenant_id is None
            and len({subject.tenant_id for subject in people}) > 1
            and named.isdigit()
        ):
            raise TallyhouseError(
                "People of several tenants have that number: say whose with --tenant."
            )
        if len({subject.kind for subject in people}) > 1 and named.isdigit():
            kinds = ", ".join(sorted({subject.kind for subject in people}))
            raise TallyhouseError(
                f"That number is somebody's as each of {kinds}: name the UUID that the marts have."
            )
        return people

    def _know_by_source_id(self, named: str) -> None:
        """Of whom only models still know has the id that they made of the source's, which is known once it is named."""
        for product in self._products:
            for who in self._by_name.get(uuid_text(product, "user", named), set()) & self._unnamed:
                if who[0] == product and who[3] != named.lower():
                    self._links[who].add(("user", named))
                    self._by_name[named.lower()].add(who)

    def _group(self, who: Who) -> set[Who]:
        """The person under all ids that its product's own database holds to be one."""
        group, waiting = {who}, [who]
        while waiting:
            for other in self._same.get(waiting.pop(), ()):
                if other not in group:
                    group.add(other)
                    waiting.append(other)
        return group


def _order(who: Who) -> tuple[bool, Who]:
    return who[2] in ("anonymous", "lead"), who


def _shown(named: str) -> str:
    """Never more than the beginning of what may be personal."""
    return f"{named[:4]}…" if len(named) > 4 else "…"


def unique(subjects: Iterable[Subject]) -> list[Subject]:
    """Each person once, however often named."""
    found: dict[tuple[str, str, str, str], Subject] = {}
    for subject in subjects:
        found.setdefault(
            (subject.product, subject.tenant_id, subject.kind, subject.source_id), subject
        )
    return list(found.values())
