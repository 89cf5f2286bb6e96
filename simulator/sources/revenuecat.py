"""RevenueCat webhook bodies, one a line, and the life of one store subscription.

Each method is one thing that happens; it writes what RevenueCat would post and enters the new worth
into the ledger. Prices are in USD beside the price in the purchased currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from simulator.chance import Chance
from simulator.files import Folder, encode
from simulator.ledger import Customer, Ledger, Part
from simulator.timeline import DAY, SECOND, Window, add_months

# The store's local price of a product that costs a dollar, in hundredths of the local unit.
STORE_RATES = {"usd": 100, "eur": 92, "zar": 1800, "gbp": 80, "jpy": 15000}


class RevenueCatProject:
    """Writes the webhooks of one product's project; `prices` are US cents by plan and interval.

    `labels`: what the plan of a store's product is called where it is sold elsewhere, too.
    """

    def __init__(
        self,
        product: str,
        folder: Folder,
        prices: Mapping[tuple[str, str], int],
        window: Window,
        limit: int,
        chance: Chance,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.product, self.folder, self.prices, self.labels = product, folder, prices, labels or {}
        self.window, self.limit, self.chance = window, limit, chance
        self.count: dict[str, int] = {}
        self.history: list[tuple[int, int, bytes]] = []

    def emit(
        self, kind: str, at: int, body: dict[str, Any], place: int | None = None
    ) -> dict[str, Any] | None:
        if at >= self.limit:
            return None
        event = {
            "event_timestamp_ms": at,
            **body,
            "type": kind,
            "id": self.chance.uuid().upper(),
            "app_id": "app3f1c",
        }
        self.count[kind] = self.count.get(kind, 0) + 1
        line = encode({"event": event, "api_version": "1.0"})
        if at < self.window.start:
            self.history.append((at, len(self.history), line))
        else:
            self.folder.add(at + 2000 if place is None else place, line)
        return event

    def close(self) -> None:
        self.folder.history = [line for _, _, line in sorted(self.history, key=lambda e: e[:2])]


class StoreSubscription:
    """One subscription bought in an app store."""

    def __init__(
        self,
        project: RevenueCatProject,
        ledger: Ledger,
        customer: Customer,
        plan: str,
        interval: str,
        currency: str,
        country: str,
        anonymous: bool,
        attributes: dict[str, str],
    ) -> None:
        self.project, self.ledger, self.customer = project, ledger, customer
        self.plan, self.interval, self.currency, self.country = plan, interval, currency, country
        chance = project.chance
        self.store = "APP_STORE" if chance.hit(0.6) else "PLAY_STORE"
        self.original = f"{chance.integer(10**14, 10**15 - 1)}"
        self.anonymous_id = (
            f"$RCAnonymousID:{chance.uuid().replace('-', '')}" if anonymous else None
        )
        self.subscription_id = self.original
        self.user = self.anonymous_id or customer.user_id
        self.attributes = attributes
        self.purchased = self.expires = self.anchor = 0
        self.period_type, self.periods = "NORMAL", 0
        self.status = "active"
        self.touched = 0  # the last change told of; the next one comes after it

    @property
    def price(self) -> int:
        return self.project.prices[self.plan, self.interval]

    @property
    def store_product(self) -> str:
        return f"{self.project.product}.{self.plan}.{self.interval}ly"

    def start(self, at: int, trial_days: int = 0) -> None:
        self.purchased = self.anchor = at
        self.period_type = "TRIAL" if trial_days else "NORMAL"
        self.expires = self.anchor = at + trial_days * DAY if trial_days else at
        if not trial_days:
            self.expires = self._next(1)
        self._tell("INITIAL_PURCHASE", at, 0 if trial_days else self.price)
        if not trial_days:
            self._count(at)

    def renew(self, plan: str | None = None, late: int = 0) -> int:
        """The next period begins where the last ended, or `late` ms after it (payment recovered)."""
        at = self.expires
        conversion = self.period_type == "TRIAL"
        changed = conversion or (plan is not None and plan != self.plan)
        self.plan = plan or self.plan
        self.period_type = "NORMAL"
        if conversion:
            self.anchor, self.periods = at, 0
        self.purchased = at
        self.expires = self._next(self.periods + 1)
        self._tell("RENEWAL", at + late, self.price, is_trial_conversion=conversion)
        if changed or late:
            self._count(at + late)
        return at

    def billing_issue(self, grace_days: int) -> int:
        """The renewal fails at expiry; access and MRR go on until the grace ends. Returns its end."""
        grace = self.expires + grace_days * DAY
        self._tell("BILLING_ISSUE", self.expires, 0, grace_period_expiration_at_ms=grace)
        self._count(self.expires, risk=True)
        return grace

    def cancel(self, at: int, reason: str = "UNSUBSCRIBE") -> None:
        self._tell("CANCELLATION", at, 0, cancel_reason=reason)

    def uncancel(self, at: int) -> None:
        self._tell("UNCANCELLATION", at, 0)

    def pause(self, at: int) -> None:
        self._tell("SUBSCRIPTION_PAUSED", at, 0, auto_resume_at_ms=self.expires + 60 * DAY)

    def change(self, at: int, plan: str) -> None:
        new = f"{self.project.product}.{plan}.{self.interval}ly"
        self._tell("PRODUCT_CHANGE", at, 0, new_product_id=new)

    def refund(self, at: int) -> None:
        """Support gives the money back: access ends now."""
        self.expires = at
        self._tell("CANCELLATION", at, -self.price, cancel_reason="CUSTOMER_SUPPORT")
        self._close(at, "refund")
        self._tell("EXPIRATION", at + 1 * SECOND, 0, expiration_reason="CUSTOMER_SUPPORT")

    def expire(self, at: int, reason: str = "UNSUBSCRIBE") -> None:
        self._close(at, reason.lower())
        self._tell("EXPIRATION", at, 0, expiration_reason=reason)

    def transfer(self, at: int, user_id: str) -> None:
        """The purchase moves from the anonymous id to the person who signed in: same payer."""
        old, self.user = self.user, user_id
        body = {
            "store": self.store,
            "transferred_from": [old],
            "transferred_to": [user_id],
            "environment": "PRODUCTION",
        }
        self.project.emit("TRANSFER", at, body)

    def identify(self) -> None:
        """From now on the webhooks name the signed-in user, with the anonymous id as an alias."""
        self.user = self.customer.user_id

    def sleep_until(self, instant: int) -> None:
        """The undisturbed renewals before `instant`; without them the subscription would have ended."""
        while self.expires < instant:
            self.renew()

    def alias(self, at: int) -> None:
        """Tells that the anonymous id and the signed-in user are one."""
        self._tell("SUBSCRIBER_ALIAS", at, 0)

    def _next(self, number: int) -> int:
        self.periods = number
        if self.interval == "week":
            return self.anchor + 7 * DAY * number
        return add_months(self.anchor, number * (12 if self.interval == "year" else 1))

    def _count(self, at: int, risk: bool = False) -> None:
        plan = self.project.labels.get(self.store_product, self.store_product)
        part = Part(plan, Fraction(self.price), self.interval)
        self.ledger.worth(self.customer, self.subscription_id, at, [part], "usd", risk)

    def _close(self, at: int, reason: str) -> None:
        self.status = "expired"
        self.ledger.worth(self.customer, self.subscription_id, at, [], "usd")
        self.ledger.ended(self.customer, self.subscription_id, at, reason)

    def _tell(self, kind: str, at: int, cents: int, **more: Any) -> None:
        self.touched = max(self.touched, at)
        aliases = [self.anonymous_id] if self.anonymous_id else [self.user]
        if self.anonymous_id and self.user != self.anonymous_id:
            aliases = [self.anonymous_id, self.user]
        local = round(cents * STORE_RATES[self.currency] / 100)
        exact = local // 100 if self.currency == "jpy" else local / 100
        body = {
            "product_id": self.store_product,
            "period_type": self.period_type,
            "purchased_at_ms": self.purchased,
            "expiration_at_ms": self.expires,
            "environment": "PRODUCTION",
            "entitlement_id": None,
            "entitlement_ids": [self.plan],
            "presented_offering_id": "default",
            "transaction_id": f"{self.original}{self.periods:02d}",
            "original_transaction_id": self.original,
            "is_family_share": False,
            "country_code": self.country,
            "app_user_id": self.user,
            "aliases": aliases,
            "original_app_user_id": self.anonymous_id or self.user,
            "currency": self.currency.upper(),
            "price": cents / 100,
            "price_in_purchased_currency": exact,
            "subscriber_attributes": {
                name: {"value": value, "updated_at_ms": self.anchor}
                for name, value in self.attributes.items()
            },
            "store": self.store,
            "takehome_percentage": 0.7,
            "offer_code": None,
            "tax_percentage": 0.0 if self.country == "US" else 0.1109,
            "commission_percentage": 0.3,
            **more,
        }
        self.project.emit(kind, at, body)
        if cents:
            self.ledger.paid(self.customer, at, cents, "usd")
