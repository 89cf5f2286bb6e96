"""Checks whose failure ends a run as failed.

No asset depends on a check: everything that can be built is built all the same, and the run ends as
failed where `tallyhouse run` exits with 1.
"""

from collections.abc import Iterator

import dagster as dg


def fails_the_run(result: dg.AssetCheckResult) -> Iterator[dg.AssetCheckResult]:
    """Show a result, and fail the check's own step when it did not pass."""
    yield result
    if not result.passed:
        raise dg.Failure(result.description, allow_retries=False)
