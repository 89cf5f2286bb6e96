"""The one exception a person is meant to read.

Belongs here: the base class whose text is the sentence on the screen. Does not belong here: the
reasons themselves; each module raises its own, in words that name the thing and the way out.
"""


class TallyhouseError(Exception):
    """Something a person can act upon; its text is shown as it is and the exit code is 1."""


INTERRUPTED = "Interrupted. Nothing is lost; the same command picks up from here."
INTERRUPTED_CODE = 130
