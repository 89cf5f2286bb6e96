"""Great Expectations over landed tables, on a real database."""
