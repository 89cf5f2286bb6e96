"""Forms of input, each with the outcome that is due: what `docs/input-forms.md` says, as data.

A form is the smallest input of its kind: bytes below a landing folder, a contract, what must come of
them. `trial` loads one, `page` writes the document from all of them, a test holds both together.
Belongs here: the shape of a form, and one module of forms per room (`FORMS` in each). Does not belong
here: loading (`trial`), anything a single unit test says better.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from importlib import import_module

PRODUCT = "PRODUCT"  # in paths and contracts: the form's own product, account or project
MODULES = (
    "records",
    "delimited",
    "containers",
    "identities",
    "change_data",
)  # in the document's order


class Outcome(StrEnum):
    """What becomes of an input, in the document's words."""

    READ = "read"
    REFUSED = "refused with a sentence"
    KEPT_ASIDE = "kept aside"


@dataclass(frozen=True)
class Form:
    """One form of input.

    `stored` are the rows that must come, each as texts of some columns: of `raw_events.events` and of
    the webhooks' tables, where `properties.amount` is a field in a JSON column; of change data, of the
    table that is folded from it, which `table` names. `sentence` is a part of what is said of a form
    that is refused or kept aside: the reason of a rejection, a line of the load's report, or a drift
    as `object field kind`.
    """

    name: str
    group: str  # the section of the document
    source: str  # events, stripe, revenuecat or cdc
    files: Mapping[str, bytes]  # by path below the landing folder
    contract: str | None  # as YAML; None: what the house declares
    outcome: Outcome
    sentence: str = ""
    stored: tuple[Mapping[str, str | None], ...] = field(default=())
    table: str = ""

    @property
    def product(self) -> str:
        """What takes the place of PRODUCT: another one for each form, so that none meets another."""
        return "form_" + blake2b(f"{self.group}|{self.name}".encode(), digest_size=4).hexdigest()


def all_forms() -> Iterator[Form]:
    """Every form, module by module."""
    for name in MODULES:
        yield from import_module(f"{__name__}.{name}").FORMS
