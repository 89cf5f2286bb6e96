"""Training and prediction as assets, one per model; the work lies in `ml`.

A model's asset trains and predicts; registry and log follow once every model had its turn, and what
dbt builds from predictions follows them.
"""

from collections.abc import Iterator

import dagster as dg

from app import learning
from ml.common.spec import ModelSpec
from ml.discovery import find_specs
from orchestration.warehouse import WarehouseResource

OWNERS = ["team:Data science"]
TABLES = ("predictive_models", "predictions", "feature_drift")


@dg.definitions
def training() -> dg.Definitions:
    """Return one step per model, downstream of its features, and the tables all of them write."""
    specs = find_specs()
    assets = [*(model_asset(spec) for spec in specs), log_of(specs)]
    return dg.Definitions(assets=dg.with_source_code_references(assets))


def model_asset(spec: ModelSpec) -> dg.AssetsDefinition:
    """Train one model and predict with it, after the tables it reads."""

    @dg.asset(
        key=["ml", spec.name],
        group_name="ml",
        deps=[table.split(".") for table in (spec.features_table, spec.outcomes_table) if table],
        kinds={"python", "scikitlearn"},
        description=spec.question,
        owners=OWNERS,
    )
    def train_and_predict(
        context: dg.AssetExecutionContext, house: WarehouseResource
    ) -> dg.MaterializeResult:
        with house.at_work(context) as warehouse:
            sentences = learning.train(house.settings, warehouse, only=[spec.name], only_due=True)
        for sentence in sentences:
            context.log.info(sentence)
        return dg.MaterializeResult(metadata={"report": "\n".join(sentences)})

    return train_and_predict


def log_of(specs: tuple[ModelSpec, ...]) -> dg.AssetsDefinition:
    """The registry and the logs of predictions and of drift, as the models left them."""

    @dg.multi_asset(
        name="registry_and_log",
        specs=[
            dg.AssetSpec(
                key=["ml", table],
                group_name="ml",
                deps=[["ml", spec.name] for spec in specs],
                owners=OWNERS,
            )
            for table in TABLES
        ],
    )
    def registry_and_log(house: WarehouseResource) -> Iterator[dg.MaterializeResult]:
        with house.warehouse.connect() as connection:
            for table in TABLES:
                counted = connection.execute(f"select count(*) from ml.{table}").fetchone()
                yield dg.MaterializeResult(
                    asset_key=["ml", table], metadata={"rows": counted[0] if counted else 0}
                )

    return registry_and_log
