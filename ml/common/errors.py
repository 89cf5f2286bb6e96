"""The ways in which learning can refuse, each a sentence for the person who must act."""

from __future__ import annotations

from tallyhouse.errors import TallyhouseError


class LeakageError(TallyhouseError):
    """A column tells what could not be known at as-of time."""


class LabelError(TallyhouseError):
    """An outcome is of a kind that the model's task cannot mean."""


class ArtefactError(TallyhouseError):
    """A stored model is missing, was altered, or does not fit the features of today."""


class TooFewData(Exception):
    """Not an error of the run: there is too little to learn from; the text says what is missing."""
