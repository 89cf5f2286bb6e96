"""A row's text, part by part."""

from ingestion.events.columns import _PARTS, SCHEMA, TEXT_PARTS


def test_the_parts_of_a_rows_text_are_its_columns_in_their_order() -> None:
    columns = [column for part in TEXT_PARTS for column in _PARTS.get(part, (part,))]
    assert columns == SCHEMA.names
