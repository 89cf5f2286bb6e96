"""How long records live, in the database: what goes by its rule, what a legal hold keeps, which days are closed.

Belongs here: rules, holds, dropping, the door. Does not belong here: the order of a clean-up (`app.retaining`), the
lake (`ingestion.lake`), what models keep (`macros/incremental/history.sql`).
"""
