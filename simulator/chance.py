"""Chance, but the same chance every time: seeded streams and identifiers drawn from them.

What belongs here: turning (seed, purpose) into random numbers and ids. What does not: any decision
taken with them. Every purpose has its own stream, so that a new draw in one place moves no other.
"""

from __future__ import annotations

import hashlib

import numpy as np

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Chance:
    """One stream of random numbers for one purpose."""

    def __init__(self, seed: int, *purpose: object) -> None:
        text = "/".join(str(part) for part in (seed, *purpose))
        digest = hashlib.sha256(text.encode()).digest()
        self.rng = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
        self._buffer: list[float] = []
        self._ids: list[str] = []

    def uniform(self) -> float:
        """One number in [0, 1); cheap, because numbers are drawn by the hundred."""
        if not self._buffer:
            self._buffer = self.rng.random(256).tolist()
        return self._buffer.pop()

    def hit(self, probability: float) -> bool:
        return self.uniform() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.uniform()

    def integer(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return low + int(self.uniform() * (high - low + 1))

    def pick(self, options):  # type: ignore[no-untyped-def]
        return options[int(self.uniform() * len(options))]

    def normals(self, *shape: int) -> np.ndarray:
        """Bell-shaped numbers (sum of twelve uniforms): the same bits on every processor."""
        return self.rng.random((*shape, 12)).sum(axis=-1) - 6.0

    def bell(self) -> float:
        """One bell-shaped number."""
        return sum(self.uniform() for _ in range(12)) - 6.0

    def uuid(self) -> str:
        if not self._ids:
            self._ids = self.uuids(64)
        return self._ids.pop()

    def uuids(self, count: int) -> list[str]:
        text = self.rng.bytes(16 * count).hex()
        return [uuid_of(text[i : i + 32]) for i in range(0, 32 * count, 32)]

    def token(self, length: int) -> str:
        return "".join(_ALPHABET[b % 62] for b in self.rng.bytes(length))


def uuid_of(digits: str) -> str:
    """Thirty-two hexadecimal digits as a version 4 UUID."""
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
