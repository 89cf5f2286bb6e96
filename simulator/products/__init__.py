"""The sample's products, one folder each, found by looking.

What belongs here: finding them. What does not: any product. A folder `<product>/` whose `__init__.py`
sets `PRODUCT` (`simulator.product.Product`) is in every sample; nothing else names it.
"""

from __future__ import annotations

import importlib
import pkgutil

from simulator.product import Product


def find_products() -> list[Product]:
    """Every product, by name. Raises ValueError for a folder that holds none, or another's."""
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if not module.ispkg:
            continue
        product = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PRODUCT", None)
        if not isinstance(product, Product) or product.name != module.name:
            raise ValueError(
                f"simulator/products/{module.name}/__init__.py must set PRODUCT = "
                f"Product(name={module.name!r}, ...); docs/simulator.md says what goes into it"
            )
        found.append(product)
    return found
