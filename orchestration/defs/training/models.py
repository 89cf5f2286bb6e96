"""Training and prediction as assets; the work lies in `ml`."""

from collections.abc import Iterator

import dagster as dg

from app import pipeline
from orchestration.dbt_project import FolderTranslator, manifest
from orchestration.warehouse import WarehouseResource

OUTPUTS = ("predictive_models", "predictions")


@dg.definitions
def training() -> dg.Definitions:
    """Return the training step, downstream of all features."""
    features = feature_keys()

    @dg.multi_asset(
        name="train_and_predict",
        specs=[
            dg.AssetSpec(
                key=["ml", table], group_name="ml", deps=features, kinds={"python", "scikitlearn"}
            )
            for table in OUTPUTS
        ],
    )
    def train_and_predict(
        context: dg.AssetExecutionContext, house: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        """Train on the features, promote only what beats its baseline, log every prediction."""
        with house.at_work(context) as warehouse:
            report = pipeline.train(house.settings, warehouse)
        for sentence in report.sentences:
            context.log.info(sentence)
        for table in OUTPUTS:
            yield dg.MaterializeResult(
                asset_key=["ml", table], metadata={"report": "\n".join(report.sentences)}
            )

    return dg.Definitions(assets=[train_and_predict])


def feature_keys() -> list[dg.AssetKey]:
    """Return the keys of every feature model: what training reads."""
    translator = FolderTranslator()
    nodes = manifest()["nodes"].values()
    return sorted(
        translator.get_asset_key(node)
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] == "features"
    )
