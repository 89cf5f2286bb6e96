"""Loading does not pay for pandas, and whoever wants it still gets it."""

import subprocess
import sys

SCRIPT = """
import sys
import ingestion.parsing.workers
import pyarrow as pa
table = pa.table({"number": pa.array([1, None], pa.int64()), "text": pa.array(["a", "b"])})
print("pandas" in sys.modules)
print(list(table.to_pandas()["text"]))
print(pa.array(table.to_pandas()["text"]).to_pylist())
"""


def test_pandas_is_imported_only_where_it_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["False", "['a', 'b']", "['a', 'b']"]
