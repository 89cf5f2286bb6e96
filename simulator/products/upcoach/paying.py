"""Who of UpCoach pays, and how it goes on with those who pay through Stripe.

The records are written in `sources`; when somebody leaves is decided in `fate`.
"""

from __future__ import annotations

from simulator.chance import Chance
from simulator.ledger import Customer, Ledger
from simulator.products.upcoach.changes import (
    begin_with_addon,
    change_addons,
    change_something,
    stripe_price,
)
from simulator.products.upcoach.fate import FOREVER, Deciding, Fate
from simulator.products.upcoach.people import Person
from simulator.products.upcoach.store import StorePayers
from simulator.sources.revenuecat import RevenueCatProject
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, SECOND, Window


class Payers(Deciding):
    """Walks every paying client through the window."""

    def __init__(
        self,
        window: Window,
        limit: int,
        account: StripeAccount,
        project: RevenueCatProject,
        ledger: Ledger,
        seed: int,
    ) -> None:
        super().__init__(window, limit)
        self.account, self.ledger = account, ledger
        self.store = StorePayers(window, limit, project, ledger)
        self.seed = seed

    def run(self, people: list[Person]) -> None:
        for person in people:
            if person.role != "client":
                continue
            chance = Chance(self.seed, "upcoach", "paying", person.user_id)
            if not chance.hit(0.66):
                continue
            fate = Fate(person)
            old = person.signup < self.window.start
            start = person.signup + int(chance.between(0.01, 6) * DAY)
            start = self.daytime(person, start, chance)
            if old and start > self.window.start:
                start = person.signup + 600 * SECOND
            if chance.hit(0.66):
                self._stripe(fate, chance, start)
            else:
                self.store.walk(fate, chance, start)

    # --- Stripe ---------------------------------------------------------------------------------
    def _stripe(self, fate: Fate, chance: Chance, start: int) -> None:
        person = fate.person
        owner = {"tenant_id": person.tenant.source_id, "user_id": person.user_id}
        customer = Customer(
            "stripe",
            "upcoach",
            person.tenant.source_id,
            person.user_id,
            f"cus_{self.account.chance.token(14)}",
        )
        self.ledger.opens(customer, person.days)
        addons = Chance(self.seed, "upcoach", "addons", person.user_id)
        on_subscription = chance.hit(0.6)
        late = self.late_place(chance, start)
        first = True
        while start < self.limit:
            plan = (
                "premium" if chance.hit(0.3 + 0.1 * person.engaged(start, self.window)) else "pro"
            )
            interval = "year" if chance.hit(0.16) else "month"
            quantity = chance.integer(2, 6) if chance.hit(0.06) else 1
            sub = StripeSubscription(
                self.account,
                self.ledger,
                customer,
                stripe_price(person.tenant, plan, interval, start),
                quantity,
                person.email,
                person.name,
                owner if on_subscription else {},
            )
            if first:
                sub.introduce(start - 2 * SECOND, {} if on_subscription else owner, late)
            first = False
            trial = chance.pick((7, 14)) if chance.hit(0.35) else 0
            person.plan_changes.append((start, plan))
            if chance.hit(0.09):
                percent, duration = chance.pick(((20, "forever"), (50, "once")))
                sub.grant(start, percent, duration, told=False)
            if person.number % 16 == 3:
                self._addon(fate, chance, customer, sub.metadata, start)
            begin_with_addon(fate, addons, sub, start)
            sub.start(start, trial, incomplete=not trial and chance.hit(0.2), place=late)
            end = self._stripe_life(fate, chance, addons, sub)
            person.plan_changes.append((end, "free"))
            back = end + int(chance.between(9, 70) * DAY)
            returns = chance.hit(0.12)
            start = self.daytime(person, back, chance) if returns else FOREVER
            person.churned_at.append((end, start))

    def _stripe_life(
        self, fate: Fate, chance: Chance, addons: Chance, sub: StripeSubscription
    ) -> int:
        person = fate.person
        if sub.created < self.window.start and sub.status == "active":
            sub.sleep_until(self.window.start)
        while sub.period_end < self.limit or sub.period_start < self.limit:
            left = self.decision(
                fate,
                chance,
                max(sub.period_start, sub.touched, self.window.start),
                sub.period_end,
            )
            if sub.status == "active":
                change_something(self, fate, chance, sub, left or sub.period_end)
            if left is not None and not sub.touched < left < sub.period_end:
                left = None  # a swap has begun another period
            if sub.status == "active":
                change_addons(self, fate, addons, sub, left or sub.period_end)
            if left is not None:
                if (sub.status == "active" and sub.price["interval"] == "year") or chance.hit(0.3):
                    sub.end(left, "cancellation_requested")
                    if chance.hit(0.25):
                        sub.refund(left + 2 * HOUR, sub.price["amount"] // 2)
                    return left
                sub.cancel_later(left)
                if chance.hit(0.15) and sub.period_end - left > 3 * DAY:
                    sub.stay(left + (sub.period_end - left) // 2 // SECOND * SECOND)
                else:
                    end = sub.period_end
                    sub.end(end, "cancellation_requested")
                    return end
            if sub.period_end >= self.limit:
                return FOREVER
            fails = chance.hit(0.035 + (0.10 if person.number % 7 == 0 else 0.0))
            if sub.status == "trialing" and chance.hit(0.22):
                end = sub.period_end
                sub.end(end, "cancellation_requested")
                return end
            at = sub.renew(fails)
            if fails:
                fate.failures.append(at)
                lost = self._dunning(chance, sub, at)
                if lost is not None:
                    return lost
        return FOREVER

    def _dunning(self, chance: Chance, sub: StripeSubscription, at: int) -> int | None:
        """Three more attempts in two weeks; without success the subscription is cancelled."""
        for days in (3, 8, 14):
            works = chance.hit(0.42)
            again = at + days * DAY
            sub.retry(again, works)
            if works:
                return None
        sub.end(again + 1 * HOUR, "payment_failed")
        return again + 1 * HOUR

    def _addon(
        self, fate: Fate, chance: Chance, customer: Customer, owner: dict[str, str], start: int
    ) -> None:
        """A second subscription of the same customer: group sessions, by the month, for a while."""
        person = fate.person
        begin = max(start, self.window.start) + int(chance.between(2, 60) * DAY)
        at = self.daytime(person, begin, chance)
        stop = self.daytime(person, at + int(chance.between(20, 150) * DAY), chance)
        if at >= self.limit:
            return
        price = stripe_price(person.tenant, "starter", "month", start)
        price |= {"id": f"price_1group{person.tenant.currency}", "product": "prod_group"}
        sub = StripeSubscription(
            self.account, self.ledger, customer, price, 1, person.email, person.name, owner
        )
        sub.start(at)
        while sub.period_end < min(stop, self.limit):
            sub.renew()
        sub.end(max(stop, sub.touched + HOUR), "cancellation_requested")
