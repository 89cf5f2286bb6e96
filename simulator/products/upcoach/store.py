"""Clients who pay in an app store, through RevenueCat: the decisions behind their webhooks."""

from __future__ import annotations

from simulator.chance import Chance
from simulator.ledger import Customer, Ledger
from simulator.products.upcoach.fate import FOREVER, Deciding, Fate
from simulator.sources.revenuecat import RevenueCatProject, StoreSubscription
from simulator.timeline import DAY, HOUR, SECOND, Window


class StorePayers(Deciding):
    """Walks one paying client after another through the window."""

    def __init__(
        self, window: Window, limit: int, project: RevenueCatProject, ledger: Ledger
    ) -> None:
        super().__init__(window, limit)
        self.project, self.ledger = project, ledger

    def walk(self, fate: Fate, chance: Chance, start: int) -> None:
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
                else:
                    sub.identify()
                    sub.alias(start + 90 * SECOND)
            end = self._life(fate, chance, sub)
            person.plan_changes.append((end, "free"))
            returns = chance.hit(0.12)
            back = end + int(chance.between(9, 70) * DAY)
            start = self.daytime(person, back, chance) if returns else FOREVER
            anonymous = False
            person.churned_at.append((end, start))

    def _life(self, fate: Fate, chance: Chance, sub: StoreSubscription) -> int:
        if sub.purchased < self.window.start and sub.period_type == "NORMAL":
            sub.sleep_until(self.window.start)
        plan: str | None = None
        while sub.purchased < self.limit:
            left = self.decision(
                fate, chance, max(sub.purchased, sub.touched, self.window.start), sub.expires
            )
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
