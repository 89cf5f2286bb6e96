"""What makes a change with a commit position the same change as another (rule 51).

Belongs here: the parts of its identity after product and table, for both paths of a record. Does not
belong here: changes without a position, which are known by all they say (`parser`), the hash over
the parts (`values.identity`).
"""


def change_identity(
    op: str, position: str, lsn: int | None, transaction: int | None, order: int | None,
    key: str | None, otherwise: tuple[str, str] | None = None, moment_us: int | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """Its place in its transaction where the source says that, else its position and its key.

    `position` is in hexadecimal digits, `key` in JSON; `otherwise` stands for a key that there is not.
    Where there is no lsn, the moment of the commit tells two logs apart that count from the same beginning.
    """
    where = f"{position}/{moment_us}" if lsn is None else f"{lsn}/{transaction}"
    if order is not None:
        return op, where, str(order)
    if key is not None:
        return op, where, position, key
    assert otherwise is not None
    return op, where, position, *otherwise
