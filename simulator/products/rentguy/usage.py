"""What a rental company's people do in the product: the events of the frontend contract."""

from __future__ import annotations

from simulator.products.rentguy.catalogue import MODULES, NAME, STEP_CODES
from simulator.products.rentguy.depot import Depot
from simulator.timeline import MINUTE, SECOND


class Usage:
    """The visits of one company's people, day after day."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.chance = depot.world.chance(NAME, depot.tenant, "usage")
        self.steps = depot.world.chance(NAME, depot.tenant, "steps")

    def run(self) -> None:
        depot, chance = self.depot, self.chance
        if depot.joined >= depot.world.window.start:
            self._first_day()
        for index, midnight in depot.open_days():
            for worker in depot.workers:
                if not chance.hit(min(0.9, 0.55 * depot.busy(midnight))):
                    continue
                at = depot.clock(index, chance.between(6, 21))
                session = chance.uuid() if chance.hit(0.9) else None
                for _ in range(chance.integer(1, 6)):
                    module = chance.pick(list(MODULES))
                    name = f"rentguy.{module}.{chance.pick(MODULES[module])}"
                    told: dict[str, object] = {"durationMs": chance.integer(5, 9000)}
                    if module == "onboarding":
                        step = self.steps.pick(STEP_CODES)
                        told |= {"stepCode": step, "completionState": "complete"}
                    depot.tell(name, at, worker, module, session, **told)
                    at += chance.integer(4, 300) * SECOND

    def _first_day(self) -> None:
        """Everybody goes through the onboarding or stops on the way; who is through moves a booking."""
        depot, steps = self.depot, self.steps
        for worker in depot.workers:
            at, session = depot.joined + steps.integer(2, 90) * MINUTE, steps.uuid()
            for code in STEP_CODES:
                if steps.hit(0.12):
                    break
                name = "rentguy.onboarding.step_completed"
                told = {"stepCode": code, "completionState": "complete"}
                depot.tell(name, at, worker, "onboarding", session, **told)
                at += steps.integer(40, 600) * SECOND
            else:
                depot.tell("rentguy.planner.booking_moved", at, worker, "planner", session)
