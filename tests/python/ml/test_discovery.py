"""A model is a folder: one that lies beside the others has its turn and its asset, nothing names it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ml
from ml.discovery import find_specs
from orchestration.defs.training.models import training

LATENESS = """
from ml.common.spec import Feature, ModelSpec

SPEC = ModelSpec(
    name="{name}", version="1", question="How late will it be?", task="regression", unit="minutes",
    entity="transport", prediction_type="late_minutes",
    features_table="features.feat_lateness__transports",
    outcomes_table="features.feat_lateness__outcomes",
    scores_newest_only=False, bands=(), features=(Feature("distance", "{{value}} km away"),),
)
"""


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """One more place in which models are looked for; what is found in it is forgotten again."""
    before = set(sys.modules)
    monkeypatch.setattr(ml, "__path__", [*ml.__path__, str(tmp_path)])
    yield tmp_path
    for name in {name for name in set(sys.modules) - before if name.startswith("ml.")}:
        del sys.modules[name]
        vars(ml).pop(name.split(".")[1], None)


def put(shelf: Path, folder: str, text: str) -> None:
    (shelf / folder).mkdir()
    (shelf / folder / "__init__.py").write_text(text, "utf-8")


def test_the_models_are_the_folders_beside_the_common_one() -> None:
    root = Path(ml.__file__).parent
    folders = {path.parent.name for path in root.glob("*/__init__.py")} - {"common"}
    assert [spec.name for spec in find_specs()] == sorted(folders)


def test_a_new_folder_has_its_turn_and_an_asset_downstream_of_what_it_reads(shelf: Path) -> None:
    put(shelf, "lateness", LATENESS.format(name="lateness"))
    assert "lateness" in [spec.name for spec in find_specs()]
    loaded = training()  # type: ignore[call-arg]
    assets = (loaded.load_fn() if hasattr(loaded, "load_fn") else loaded).assets
    graph = {key.path[-1]: asset for asset in assets for key in asset.keys}
    reads = {key.to_user_string() for key in graph["lateness"].dependency_keys}
    assert reads == {"features/feat_lateness__transports", "features/feat_lateness__outcomes"}
    waits = {key.to_user_string() for key in graph["predictions"].dependency_keys}
    assert waits == {f"ml/{spec.name}" for spec in find_specs()}


@pytest.mark.parametrize("text", ["", LATENESS.format(name="another")])
def test_a_folder_without_its_description_is_refused_by_name(shelf: Path, text: str) -> None:
    put(shelf, "half_done", text)
    with pytest.raises(ValueError, match=r"ml/half_done/__init__.py must set SPEC"):
        find_specs()
