"""Who of UpCoach pays, through which provider, and how it goes on: the decisions behind the money.

A client leaves for reasons that leave traces (falling engagement, unanswered nudges, failed
payments) and for reasons that leave none. The records themselves are written in `sources`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simulator.catalogue import STRIPE_PRICES, YEARLY_MONTHS, Tenant
from simulator.chance import Chance
from simulator.ledger import Customer, Ledger
from simulator.sources.revenuecat import RevenueCatProject, StoreSubscription
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, HOUR, SECOND, Window
from simulator.upcoach.people import Person

FOREVER = 1 << 60


@dataclass
class Fate:
    """What was decided for one payer; kept for the truth about churn."""

    person: Person
    failures: list[int] = field(default_factory=list)

    def weekly_hazard(self, window: Window, instant: int) -> float:
        """The chance of deciding to leave within the week: the learnable part and a floor."""
        now = self.person.engaged(instant, window)
        before = self.person.engaged(instant - 28 * DAY, window)
        failed = any(0 <= instant - at < 45 * DAY for at in self.failures)
        odds = (
            -6.45
            - 1.55 * now
            + 0.55 * (before - now)
            + 1.7 * failed
            - 3.0 * (self.person.replies - 0.5)
        )
        return 0.0018 + 1 / (1 + math.exp(-odds))


def stripe_price(tenant: Tenant, plan: str, interval: str, created: int) -> dict:
    amount = STRIPE_PRICES[plan][tenant.currency] * (YEARLY_MONTHS if interval == "year" else 1)
    mark = f"{plan}{interval}{tenant.currency}"
    return {
        "id": f"price_1{mark}",
        "product": f"prod_{plan}",
        "nickname": f"UpCoach {plan} {interval}ly",
        "currency": tenant.currency,
        "interval": interval,
        "amount": amount,
        "created": created // SECOND,
    }


class Payers:
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
        self.window, self.limit = window, limit
        self.account, self.project, self.ledger = account, project, ledger
        self.seed = seed
        self.fates: list[Fate] = []

    def run(self, people: list[Person]) -> None:
        for person in people:
            if person.role != "client":
                continue
            chance = Chance(self.seed, "upcoach", "paying", person.user_id)
            if not chance.hit(0.66):
                continue
            fate = Fate(person)
            self.fates.append(fate)
            old = person.signup < self.window.start
            start = person.signup + int(chance.between(0.01, 6) * DAY)
            start = self._daytime(person, start, chance)
            if old and start > self.window.start:
                start = person.signup + 600 * SECOND
            if chance.hit(0.66):
                self._stripe(fate, chance, start)
            else:
                self._store(fate, chance, start)

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
        on_subscription = chance.hit(0.6)
        late = self._late_place(chance, start)
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
            sub.start(start, trial, incomplete=not trial and chance.hit(0.2), place=late)
            end = self._stripe_life(fate, chance, sub)
            person.plan_changes.append((end, "free"))
            back = end + int(chance.between(9, 70) * DAY)
            returns = chance.hit(0.12)
            start = self._daytime(person, back, chance) if returns else FOREVER
            person.churned_at.append((end, start))

    def _stripe_life(self, fate: Fate, chance: Chance, sub: StripeSubscription) -> int:
        person = fate.person
        if sub.created < self.window.start and sub.status == "active":
            sub.sleep_until(self.window.start)
        while sub.period_end < self.limit or sub.period_start < self.limit:
            left = self._decision(
                fate, chance, max(sub.period_start, self.window.start), sub.period_end
            )
            if sub.status == "active":
                self._changes(fate, chance, sub, left or sub.period_end)
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
                end = self._dunning(chance, sub, at)
                if end is not None:
                    return end
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

    def _changes(self, fate: Fate, chance: Chance, sub: StripeSubscription, until: int) -> None:
        """Plan swaps and seats, in a quiet moment of the period."""
        begin = max(sub.period_start, self.window.start) + 1 * DAY
        if until - begin < 3 * DAY:
            return
        at = self._daytime(fate.person, int(chance.between(begin, until - 2 * DAY)), chance)
        if not begin < at < until - 1 * DAY:
            return
        mood = fate.person.engaged(at, self.window)
        tenant = fate.person.tenant
        plan = "premium" if "premium" in sub.price["id"] else "pro"
        if sub.quantity > 1 and chance.hit(0.18):
            sub.resize(at, max(1, sub.quantity + chance.pick((-1, 1, 2))))
        elif plan == "pro" and chance.hit(0.03 + 0.02 * max(0.0, mood)):
            sub.swap(at, stripe_price(tenant, "premium", sub.price["interval"], sub.created))
            fate.person.plan_changes.append((at, "premium"))
        elif plan == "premium" and chance.hit(0.03 - 0.02 * min(0.0, mood)):
            sub.swap(at, stripe_price(tenant, "pro", sub.price["interval"], sub.created))
            fate.person.plan_changes.append((at, "pro"))
        elif chance.hit(0.012):
            interval = "year" if sub.price["interval"] == "month" else "month"
            sub.swap(at, stripe_price(tenant, plan, interval, sub.created))

    # --- RevenueCat -----------------------------------------------------------------------------
    def _store(self, fate: Fate, chance: Chance, start: int) -> None:
        person = fate.person
        tenant = person.tenant
        customer = Customer(
            "revenuecat", "upcoach", tenant.source_id, person.user_id, person.user_id
        )
        self.ledger.opens(customer, person.days)
        attributes = {"tenant_id": tenant.source_id} if chance.hit(0.5) else {}
        if chance.hit(0.6):
            attributes["$email"] = person.email
        anonymous = chance.hit(0.3)
        while start < self.limit:
            plan = "premium" if chance.hit(0.22) else "pro"
            interval = (
                "year"
                if chance.hit(0.15)
                else "week"
                if plan == "pro" and chance.hit(0.07)
                else "month"
            )
            sub = StoreSubscription(
                self.project,
                self.ledger,
                customer,
                plan,
                interval,
                tenant.currency,
                tenant.country,
                anonymous,
                attributes,
            )
            trial = 7 if interval != "week" and chance.hit(0.35) else 0
            person.plan_changes.append((start, plan))
            sub.start(start, trial)
            if anonymous:
                if chance.hit(0.3):
                    sub.transfer(start + 90 * SECOND, person.user_id)
                sub.identify()
            end = self._store_life(fate, chance, sub)
            person.plan_changes.append((end, "free"))
            returns = chance.hit(0.12)
            back = end + int(chance.between(9, 70) * DAY)
            start = self._daytime(person, back, chance) if returns else FOREVER
            anonymous = False
            person.churned_at.append((end, start))

    def _store_life(self, fate: Fate, chance: Chance, sub: StoreSubscription) -> int:
        if sub.purchased < self.window.start and sub.period_type == "NORMAL":
            sub.sleep_until(self.window.start)
        plan: str | None = None
        while sub.purchased < self.limit:
            left = self._decision(fate, chance, max(sub.purchased, self.window.start), sub.expires)
            if sub.period_type == "TRIAL" and left is None and chance.hit(0.25):
                left = sub.purchased + (sub.expires - sub.purchased) // 2
            if left is not None:
                if sub.period_type == "NORMAL" and chance.hit(0.10):
                    sub.refund(left)
                    return left
                if chance.hit(0.06) and sub.store == "PLAY_STORE":
                    sub.pause(left)
                    sub.expire(sub.expires, "SUBSCRIPTION_PAUSED")
                    return sub.expires
                sub.cancel(left)
                if chance.hit(0.15) and sub.expires - left > 2 * DAY:
                    sub.uncancel(left + (sub.expires - left) // 2)
                else:
                    sub.expire(sub.expires)
                    return sub.expires
            elif sub.interval != "week" and sub.period_type == "NORMAL" and chance.hit(0.03):
                plan = "pro" if sub.plan == "premium" else "premium"
                change = sub.purchased + (sub.expires - sub.purchased) // 3
                if change > self.window.start:
                    sub.change(change, plan)
                    fate.person.plan_changes.append((sub.expires, plan))
                else:
                    plan = None
            if sub.expires >= self.limit:
                return FOREVER
            late = 0
            if plan is None and sub.period_type == "NORMAL" and chance.hit(0.04):
                fate.failures.append(sub.expires)
                grace = sub.billing_issue(6)
                if not chance.hit(0.5):
                    sub.cancel(grace - 2 * HOUR, "BILLING_ERROR")
                    sub.expires = grace
                    sub.expire(grace, "BILLING_ERROR")
                    return grace
                late = int(chance.between(1, 5)) * DAY
            sub.renew(plan, late)
            plan = None
        return FOREVER

    # --- shared ---------------------------------------------------------------------------------
    def _decision(self, fate: Fate, chance: Chance, begin: int, end: int) -> int | None:
        """The instant at which the person decides to leave within [begin, end), if they do."""
        at = begin
        while at < min(end, self.limit):
            stop = min(at + 7 * DAY, end)
            share = (stop - at) / (7 * DAY)
            if chance.hit(fate.weekly_hazard(self.window, at) * share):
                moment = self._daytime(fate.person, int(chance.between(at, stop)), chance)
                if at + 1 * HOUR < moment < end - 1 * HOUR:
                    return moment
            at = stop
        return None

    def _daytime(self, person: Person, instant: int, chance: Chance) -> int:
        """The same local day, between six in the morning and ten in the evening, in whole seconds."""
        day = person.days.index(instant)
        moment = int(person.days.midnights[day]) + int(chance.between(6.0, 21.9) * HOUR)
        return moment // SECOND * SECOND

    def _late_place(self, chance: Chance, start: int) -> int | None:
        """Some first webhooks are delivered after the ones that follow them."""
        if start >= self.window.start and chance.hit(0.05):
            return start + int(chance.between(0.2, 60) * HOUR)
        return None
