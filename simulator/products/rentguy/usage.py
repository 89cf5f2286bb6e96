"""What a rental company's people do in the product: the events of the frontend contract."""

from __future__ import annotations

from simulator.products.rentguy.catalogue import MODULES, NAME
from simulator.products.rentguy.depot import Depot
from simulator.timeline import SECOND


class Usage:
    """The visits of one company's people, day after day."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.chance = depot.world.chance(NAME, depot.tenant, "usage")

    def run(self) -> None:
        depot, chance = self.depot, self.chance
        for index, midnight in depot.open_days():
            for worker in depot.workers:
                if not chance.hit(min(0.9, 0.55 * depot.busy(midnight))):
                    continue
                at = depot.clock(index, chance.between(6, 21))
                session = chance.uuid() if chance.hit(0.9) else None
                for _ in range(chance.integer(1, 6)):
                    module = chance.pick(list(MODULES))
                    name = f"rentguy.{module}.{chance.pick(MODULES[module])}"
                    depot.tell(
                        name, at, worker, module, session, durationMs=chance.integer(5, 9000)
                    )
                    at += chance.integer(4, 300) * SECOND
