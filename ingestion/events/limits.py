"""The limits of an event's envelope, for both paths of a line.

Belongs here: numbers. Does not belong here: what is said of a value beyond them (`errors`, `parser`),
which times are plausible (`times`).
"""

MAX_ID_LENGTH = 500  # characters, of ids and of event names
MAX_DOMAIN_LENGTH = 100
MAX_VERSION = 2**31 - 1
MAX_LOAD_TIME_MS = 2**31 - 2
