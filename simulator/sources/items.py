"""What else a Stripe subscription has beside its first item: added, changed and taken out in mid-life.

Whatever changes within a period is settled as Stripe does it by default: what was paid for and is not
used is a credit, what is used from now on a charge, both to the second.
"""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.sources.lines import Item, Line, credit, proration
from simulator.sources.stripe_objects import subscription_object
from simulator.sources.terms import Terms


class Items(Terms):
    """The part of a subscription that has further items; mixed into it.

    `prices` of an item: the same thing by interval. `at_once`: settled by an invoice of its own, else
    by the next one.
    """

    @property
    def further(self) -> list[Item]:
        return self.items[1:]

    def include(self, prices: dict[str, dict[str, Any]], quantity: int, chance: Chance) -> Item:
        """One more item of a subscription that is yet to start."""
        item = self._item(prices, quantity, 0, chance)
        self.items.append(item)
        return item

    def add(
        self,
        at: int,
        prices: dict[str, dict[str, Any]],
        quantity: int,
        chance: Chance,
        at_once: bool = False,
    ) -> None:
        previous = self._items_before(at)
        item = self._item(prices, quantity, at, chance)
        self.items.append(item)
        self._charge(item, at, chance)
        self._changed(at, previous, at_once)

    def resize_item(
        self, at: int, item: Item, quantity: int, chance: Chance, at_once: bool = False
    ) -> None:
        previous = self._items_before(at)
        self._credit(item, at, chance)
        item.quantity = quantity
        self._charge(item, at, chance)
        self._changed(at, previous, at_once)

    def swap_item(
        self, at: int, item: Item, prices: dict[str, dict[str, Any]], chance: Chance
    ) -> None:
        """The same item is another thing from now on."""
        previous = self._items_before(at)
        self._credit(item, at, chance)
        item.prices = prices
        item.follow(self.price["interval"])
        self._charge(item, at, chance)
        self._changed(at, previous, False)

    def remove(self, at: int, item: Item, chance: Chance) -> None:
        previous = self._items_before(at)
        self._credit(item, at, chance)
        self.items.remove(item)
        self._changed(at, previous, False)

    # --- private --------------------------------------------------------------------------------
    def _item(
        self, prices: dict[str, dict[str, Any]], quantity: int, at: int, chance: Chance
    ) -> Item:
        price = prices[self.price["interval"]]
        return Item(f"si_{chance.token(14)}", price, quantity, at, prices)

    def _items_before(self, at: int) -> dict[str, Any]:
        """What an update says was before: all items, and in the old shape the single one's plan."""
        body = subscription_object(self, self.account.is_new(at))
        previous: dict[str, Any] = {"items": {"data": body["items"]["data"]}}
        if body.get("plan"):
            previous |= {"plan": body["plan"], "quantity": body["quantity"]}
        return previous

    def _changed(self, at: int, previous: dict[str, Any], at_once: bool) -> None:
        after = subscription_object(self, self.account.is_new(at))
        if after.get("plan"):
            previous |= {"plan": None, "quantity": None}
        newest = self.latest_invoice
        if at_once:
            self._settle_changes(at)
        if self.latest_invoice != newest:
            previous |= {"latest_invoice": newest}
        self._tell("customer.subscription.updated", at, previous)
        self._count(at)

    def _charge(self, item: Item, at: int, chance: Chance) -> None:
        self.pending.append(self._rest(item, at, chance))

    def _credit(self, item: Item, at: int, chance: Chance) -> None:
        line = self._rest(item, at, chance)
        self.pending.append(credit(line, self.billed.get(item.item_id)))

    def _rest(self, item: Item, at: int, chance: Chance) -> Line:
        period = (self.period_start, self.period_end)
        return proration(item, self.percent_off, period, at, f"ii_1{chance.token(22)}")
