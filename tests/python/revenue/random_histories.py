"""Random lives of paying customers, two or three of a tenant, and what they are worth by the simulator's own book.

Whatever may happen next happens with about the same chance, at any time of day, now and then within minutes;
the sample's customers live as people do (`simulator/products`). Both Stripe accounts draw the same identifiers.

Belongs here: what happens when. Does not belong here: how it is told (`simulator/sources`), what it is worth
(`simulator/truth`), how it is delivered (`test_random_histories`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import orjson

from simulator.chance import Chance
from simulator.files import Folder
from simulator.fx import Rates
from simulator.ledger import Customer, Ledger
from simulator.sources.revenuecat import RevenueCatProject, StoreSubscription
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, MINUTE, SECOND, Window, local_days
from simulator.truth.revenue.valuing import NETTING, Valued, value_days
from tests.python.marts.upcoach_lines import organization, uid

END = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 300
BEFORE = "2025-01-01T00:00:00.000000Z"
PRODUCTS = ("upcoach", "rentguy")
ZONES = ("UTC", "Europe/Amsterdam", "Asia/Tokyo", "America/New_York", "Africa/Johannesburg")
CURRENCIES = ("usd", "usd", "eur", "gbp", "jpy", "zar")
AMOUNTS = {"solo": 2900, "team": 5900, "seats": 700, "storage": 333}
MONTHS_BILLED = {"week": 1, "month": 4, "year": 40}
STORE_PRICES = {
    ("solo", "week"): 499, ("solo", "month"): 1499, ("solo", "year"): 11999,
    ("team", "week"): 899, ("team", "month"): 2999, ("team", "year"): 23999,
}  # fmt: skip
SOON = ((2 * MINUTE, 55 * MINUTE), (2 * HOUR, 30 * HOUR), (2 * DAY, 25 * DAY))
# of a period of a purchase; most go by
PERIODS = (
    *["nothing"] * 4, "leaves", "thinks again", "pauses", "changes", "is refunded", "fails", "is late",
)  # fmt: skip
Lines = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Histories:
    """What the providers told, by landing folder, and what all of it was worth.

    `nights`: day, product and tenant of changes that went on after midnight, which count on the day of the first.
    """

    told: Lines
    worth: Valued
    customers: int
    nights: set[tuple[date, str, str]]


def random_histories(count: int, seed: int) -> Histories:
    """So many, each tenant's of two products; everybody's days from the window's first to its last."""
    window = Window.ending(END, DAYS)
    ledger = Ledger(window.end - 2 * MINUTE)
    accounts = {
        product: StripeAccount(
            Folder("stripe", f"acct_{product}"), window, ledger.limit, Chance(seed, "stripe"),
            moved_at=window.start + DAYS // 2 * DAY,
        )
        for product in PRODUCTS
    }  # fmt: skip
    project = RevenueCatProject(
        "upcoach", Folder("revenuecat", "upcoach"), STORE_PRICES, window, ledger.limit, Chance(seed, "store")
    )  # fmt: skip
    homes: dict[str, str] = {}
    for number in range(count):
        chance = Chance(seed, "history", number)
        product = PRODUCTS[number % 2]
        name = f"tenant{number // 2}"
        if product == "upcoach":
            homes[name] = chance.pick(ZONES)
        tenant, days = uid(name), local_days(homes[name], window)
        providers = ("stripe", "store", "both") if product == "upcoach" else ("stripe",)
        provider = chance.pick(providers)
        if provider != "store":
            account = accounts[product]
            user = f"payer{number}"
            payer = Customer("stripe", product, tenant, user, f"cus_{account.chance.token(14)}")
            ledger.opens(payer, days)
            StripeLife(chance, window, ledger, account, payer).run()
        if provider != "stripe":
            user = f"buyer{number}"
            buyer = Customer("revenuecat", product, tenant, user, user)
            ledger.opens(buyer, days)
            StoreLife(chance, window, ledger, project, buyer).run()
    folders = [*(account.folder for account in accounts.values()), project.folder]
    told = {
        f"{folder.source_kind}/{folder.source_name}": [orjson.loads(line) for _, _, line in folder.lines]
        for folder in folders
    }  # fmt: skip
    worth = value_days(ledger, Rates.read(), window.first_date, ledger.limit)
    told["cdc/upcoach"] = [organization(name, "c", BEFORE, zone) for name, zone in homes.items()]
    return Histories(told, worth, len(ledger.entries), set(_nights(ledger)))


def _nights(ledger: Ledger) -> Iterator[tuple[date, str, str]]:
    for customer, entries in ledger.entries.items():
        days = ledger.calendars[customer]
        for earlier, later in pairwise(sorted(entry.at for entry in entries)):
            if later - earlier <= NETTING and days.day(earlier) < days.day(later):
                yield days.day(earlier), customer.product, customer.tenant_id


class Life:
    """One customer, from a first purchase some time in the window to its end."""

    def __init__(self, chance: Chance, window: Window, ledger: Ledger) -> None:
        self.chance, self.window, self.ledger = chance, window, ledger

    def some_time_after(self, at: int) -> int:
        """Minutes, hours or days later, at a whole second."""
        return (at + int(self.chance.between(*self.chance.pick(SOON)))) // SECOND * SECOND

    def first_day(self) -> int:
        return self.some_time_after(self.window.start + self.chance.integer(0, DAYS // 2) * DAY)


class StripeLife(Life):
    """One subscription after another, some of them beside each other."""

    def __init__(
        self, chance: Chance, window: Window, ledger: Ledger, account: StripeAccount, customer: Customer
    ) -> None:  # fmt: skip
        super().__init__(chance, window, ledger)
        self.account, self.customer = account, customer
        self.currency = chance.pick(CURRENCIES)

    def run(self) -> None:
        start = self.first_day()
        introduced = False
        while start < self.ledger.limit:
            end = self.live(start, introduced)
            introduced = True
            again = self.chance.pick((start, end, end, None))
            if again is None:
                return
            start = self.some_time_after(again)

    def price(self, plan: str, interval: str) -> dict[str, Any]:
        return {
            "id": f"price_{plan}{interval}{self.currency}",
            "product": f"prod_{plan}",
            "nickname": f"{self.customer.product} {plan} {interval}",
            "currency": self.currency,
            "interval": interval,
            "amount": AMOUNTS[plan] * MONTHS_BILLED[interval],
            "created": self.window.start // SECOND,
        }

    def further(self, plan: str) -> dict[str, dict[str, Any]]:
        return {interval: self.price(plan, interval) for interval in MONTHS_BILLED}

    def live(self, start: int, introduced: bool) -> int:
        """One subscription to its end, or to the end of the window; returns when that was."""
        chance = self.chance
        interval = chance.pick(tuple(MONTHS_BILLED))
        plan = chance.pick(("solo", "team"))
        owner = {"tenant_id": self.customer.tenant_id, "user_id": self.customer.user_id}
        sub = StripeSubscription(
            self.account, self.ledger, self.customer, self.price(plan, interval),
            chance.integer(1, 4), f"{self.customer.user_id}@example.org", self.customer.user_id, owner,
        )  # fmt: skip
        if not introduced:
            sub.introduce(start - 2 * SECOND, owner)
        if chance.hit(0.3):
            terms = chance.pick((10, 25, 50, 100)), chance.pick(("forever", "once"))
            sub.grant(start, *terms, told=False)
        if sub.percent_off < 100 and chance.hit(0.3):
            sub.include(self.further("seats"), chance.integer(1, 3), chance)
        trial = chance.pick((0, 0, 7, 14))
        sub.start(start, trial, incomplete=not trial and chance.hit(0.3))
        at = self.some_time_after(sub.touched)
        while at < self.ledger.limit and sub.status != "canceled":
            if at < sub.period_end - 5 * MINUTE:
                chance.pick(self.possible(sub))(at)
            elif sub.period_end >= self.ledger.limit:
                break
            elif sub.cancel_at_period_end:
                sub.end(sub.period_end, "cancellation_requested")
            else:
                self.renew(sub)
            at = self.some_time_after(sub.touched)
        return min(at, self.ledger.limit)

    def renew(self, sub: StripeSubscription) -> None:
        """Now and then the money does not come: for some days, or at all."""
        fails = self.chance.hit(0.15) and not sub.paused
        at = sub.renew(fails)
        for days in (1, 3, 5) if fails else ():
            works = self.chance.hit(0.4)
            sub.retry(at + days * DAY, works)
            if works:
                return
        if fails:
            sub.end(at + 6 * DAY, "payment_failed")

    def possible(self, sub: StripeSubscription) -> list[Callable[[int], object]]:
        """What may happen to it now, each at an instant."""
        chance = self.chance
        could: list[Callable[[int], object]] = [lambda at: sub.resize(at, chance.integer(1, 5))]
        if chance.hit(0.25):
            could.append(lambda at: sub.end(at, "cancellation_requested"))
        if sub.cancel_at_period_end:
            could += [sub.stay] * 3
        else:
            could.append(sub.cancel_later)
        if sub.status == "trialing":
            return could
        could.append(sub.resume if sub.paused else sub.pause)
        interval = sub.price["interval"]
        other = "team" if sub.price["product"] == "prod_solo" else "solo"
        could.append(lambda at: sub.swap(at, self.price(other, interval)))
        if not (sub.counts_once or sub.cancel_at_period_end or sub.further or sub.pending):
            longer = chance.pick([name for name in MONTHS_BILLED if name != interval])
            could.append(lambda at: sub.swap(at, self.price(other, longer)))
        if sub.discount is None:
            percents = (10, 20) if sub.further or sub.pending else (10, 100)
            could.append(lambda at: sub.grant(at, chance.pick(percents), "forever"))
        elif not sub.counts_once:
            could.append(sub.withdraw)
        at_once = chance.hit(0.5)
        if sub.percent_off == 100:  # nothing is left of which a credit could be taken
            return could
        if not sub.further:
            prices = self.further(chance.pick(("seats", "storage")))
            could += [lambda at: sub.add(at, prices, chance.integer(1, 3), chance, at_once)] * 2
        else:
            item = sub.further[0]
            swapped = self.further("storage" if "seats" in item.price["id"] else "seats")
            could.append(lambda at: sub.remove(at, item, chance))
            could.append(lambda at: sub.swap_item(at, item, swapped, chance))
            could.append(lambda at: sub.resize_item(at, item, chance.integer(1, 4), chance, at_once))  # fmt: skip
        return could


class StoreLife(Life):
    """One purchase after another in an app store."""

    def __init__(
        self, chance: Chance, window: Window, ledger: Ledger, project: RevenueCatProject, customer: Customer
    ) -> None:  # fmt: skip
        super().__init__(chance, window, ledger)
        self.project, self.customer = project, customer
        self.anonymous = chance.hit(0.3)

    def run(self) -> None:
        start = self.first_day()
        while start < self.ledger.limit:
            end = self.live(start)
            self.anonymous = False
            if self.chance.hit(0.5):
                return
            start = self.some_time_after(end)

    def live(self, start: int) -> int:
        chance = self.chance
        plan, interval = chance.pick(tuple(STORE_PRICES))
        sub = StoreSubscription(
            self.project, self.ledger, self.customer, plan, interval, "usd", "US", self.anonymous,
            {"tenant_id": self.customer.tenant_id},
        )  # fmt: skip
        sub.start(start, chance.pick((0, 0, 7)))
        if self.anonymous:
            sub.transfer(start + 90 * SECOND, self.customer.user_id)
            sub.identify()
        while sub.expires < self.ledger.limit and sub.status == "active":
            self.period(sub)
        return min(sub.expires, self.ledger.limit)

    def period(self, sub: StoreSubscription) -> None:
        """What happens until the purchase expires, and whether it goes on then."""
        chance = self.chance
        normal, begins = sub.period_type == "NORMAL", max(sub.touched, sub.purchased)
        at = begins + int(chance.between(0.1, 0.8) * (sub.expires - begins))
        fate = chance.pick(PERIODS)
        if fate == "leaves" or (fate == "pauses" and not normal):
            sub.cancel(at)
            sub.expire(sub.expires)
        elif fate == "pauses":
            sub.pause(at)
            sub.expire(sub.expires, "SUBSCRIPTION_PAUSED")
        elif fate == "is refunded" and normal:
            sub.refund(at)
        elif fate == "changes" and normal:
            other = "solo" if sub.plan == "team" else "team"
            sub.change(at, other)
            sub.renew(other)
        elif fate == "fails" and normal:
            grace = sub.billing_issue(6)
            sub.cancel(grace - 2 * HOUR, "BILLING_ERROR")
            sub.expires = grace
            sub.expire(grace, "BILLING_ERROR")
        elif fate == "is late" and normal and sub.interval != "week":
            sub.billing_issue(6)
            sub.renew(None, chance.integer(1, 5) * DAY)
        else:
            if fate == "thinks again":
                sub.cancel(at)
                sub.uncancel(at + (sub.expires - at) // 2)
            sub.renew()
