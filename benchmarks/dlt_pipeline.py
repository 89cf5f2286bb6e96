"""One dlt load, run by an environment of its own: `python dlt_pipeline.py SETTING URL FOLDER FILE…`.

Settings: `default` is what dlt's documentation shows first (its filesystem source, `read_jsonl`,
INSERT statements). `csv` and `parquet` hand over Arrow tables, which dlt passes on whole, with COPY
or ADBC as the last step; `merge` is `parquet` that also keeps one row of each event id. Workers and
batches are the fastest of those tried on two cores. Belongs here: dlt as its users call it. Imports
nothing of this project.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.json
from dlt.sources.filesystem import filesystem, read_jsonl

BATCH_BYTES = 1 << 20


def main() -> None:
    """Load the files and print rows and seconds as JSON."""
    setting, url, folder, *files = sys.argv[1:]
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }
    if setting != "default":
        os.environ |= {
            "EXTRACT__WORKERS": "2",
            "NORMALIZE__WORKERS": "1",  # Arrow tables only pass through
            "LOAD__WORKERS": "4",
            "DATA_WRITER__FILE_MAX_ITEMS": "200000",
        }
    pipeline = dlt.pipeline(
        "events",
        pipelines_dir=folder,
        destination=dlt.destinations.postgres(url),
        dataset_name=f"dlt_{setting}",
    )
    started = time.perf_counter()
    by_product = _by_product(files)
    if setting == "default":
        pipeline.run([_source(product, paths) for product, paths in by_product.items()])
    else:
        tables = [_resource(name, paths, setting) for name, paths in by_product.items()]
        pipeline.run(tables, loader_file_format="csv" if setting == "csv" else "parquet")
    seconds = time.perf_counter() - started
    if not all(_count(pipeline, product) for product in by_product):
        raise SystemExit("dlt loaded nothing")
    print(json.dumps({"seconds": seconds}))


def _by_product(files: list[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in map(Path, files):
        found.setdefault(file.parent.name, []).append(file)
    return found


def _source(product: str, paths: list[Path]) -> Any:
    files = filesystem(str(paths[0].parent), file_glob="*.jsonl")
    return (files | read_jsonl()).with_name(product)


def _resource(product: str, paths: list[Path], setting: str) -> Any:
    merging = {"write_disposition": "merge", "primary_key": "event_id"}
    how: dict[str, Any] = merging if setting == "merge" else {"write_disposition": "append"}
    return dlt.resource(_tables(paths), name=product, parallelized=True, **how)


def _tables(paths: list[Path]) -> Iterator[pa.Table]:
    for path in paths:
        options = pyarrow.json.ReadOptions(block_size=BATCH_BYTES)
        table = pyarrow.json.read_json(path, read_options=options)
        while any(pa.types.is_struct(field.type) for field in table.schema):
            table = table.flatten()
        yield table.rename_columns([name.replace(".", "__") for name in table.column_names])


def _count(pipeline: Any, product: str) -> int:
    with pipeline.sql_client() as client:
        return int(client.execute_sql(f"select count(*) from {product}")[0][0])


if __name__ == "__main__":
    main()
