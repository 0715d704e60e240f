"""The random words of docs/protocol.md, "Draws", many at a time.

The generator is xoroshiro128+. Its step is linear over bits, so any number of steps is a matrix of bits: a thousand places of the stream, a thousand words apart,
are found by such matrices and go on side by side.
"""
import hashlib
import json
import struct

import numpy as np

LANES = 1024
STEPS = 1024


def step(low, high):
    """The state after one word. Arrays of 64 bits, changed by nobody."""
    both = low ^ high
    first = (low << np.uint64(24) | low >> np.uint64(40)) ^ both ^ both << np.uint64(16)
    return first, both << np.uint64(37) | both >> np.uint64(27)


class Jump:
    """So many steps at once: the states that each single bit of a state becomes."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    @staticmethod
    def one():
        bits = np.uint64(1) << np.arange(64, dtype=np.uint64)
        none = np.zeros(64, dtype=np.uint64)
        return Jump(*step(np.concatenate([bits, none]), np.concatenate([none, bits])))

    def __call__(self, low, high):
        first, second = np.zeros_like(low), np.zeros_like(high)
        for bit in range(128):
            word = low if bit < 64 else high
            mask = np.uint64(0) - (word >> np.uint64(bit % 64) & np.uint64(1))
            first ^= self.low[bit] & mask
            second ^= self.high[bit] & mask
        return first, second

    def then(self, other):
        return Jump(*other(self.low, self.high))

    def times(self, count):
        found, power = None, self
        while count:
            if count & 1:
                found = power if found is None else found.then(power)
            power = power.then(power)
            count >>= 1
        return found


LANE = Jump.one().times(STEPS)
BLOCK = LANE.times(LANES - 1)


class Words:
    """A stream of 32-bit words. It is named by a key, or goes on from four words that another stream gave."""

    def __init__(self, state):
        # Four 32-bit words: high and low half of the first 64 bits, then of the second.
        w = [int(word) & 0xFFFFFFFF for word in state]
        self.low = np.array([w[0] << 32 | w[1]], dtype=np.uint64)
        self.high = np.array([w[2] << 32 | w[3]], dtype=np.uint64)
        self.ahead = np.empty(0, dtype=np.uint32)

    @staticmethod
    def named(*key):
        """The stream of a key such as ('bootstrap', 42)."""
        text = json.dumps(list(key), separators=(",", ":"), ensure_ascii=False)
        return Words(struct.unpack("<4I", hashlib.sha256(text.encode()).digest()[:16]))

    def _more(self):
        if len(self.low) == 1:
            jump = LANE
            while len(self.low) < LANES:
                further = jump(self.low, self.high)
                self.low, self.high = (np.concatenate(pair) for pair in zip((self.low, self.high), further))
                jump = jump.then(jump)
        else:
            self.low, self.high = BLOCK(self.low, self.high)
        block = np.empty((STEPS, LANES), dtype=np.uint32)
        for at in range(STEPS):
            block[at] = self.low + self.high & np.uint64(0xFFFFFFFF)
            self.low, self.high = step(self.low, self.high)
        self.ahead = np.concatenate([self.ahead, block.T.ravel()])

    def take(self, count):
        """The next words."""
        while len(self.ahead) < count:
            self._more()
        words, self.ahead = self.ahead[:count], self.ahead[count:]
        return words

    def state_of_another(self):
        """A stream whose state are the next four words."""
        return Words(self.take(4))


def resampled_counts(words, clusters, draws):
    """How often each cluster is drawn: an array [draws, clusters] of bytes."""
    places = (words.take(draws * clusters) * 2.0**-32 * clusters).astype(np.int64)
    places += np.repeat(np.arange(draws) * clusters, clusters)
    return np.bincount(places, minlength=draws * clusters).reshape(draws, clusters).astype(np.uint8)


def flipped_sums(words, values, draws):
    """Of each draw the sum of the values whose coin shows 1: bits of words, the lowest first, a new word for every 32 values."""
    per_draw = -(-len(values) // 32)
    coins = words.take(draws * per_draw).astype("<u4").view(np.uint8).reshape(draws, per_draw * 4)
    padded = np.zeros(per_draw * 32)
    padded[: len(values)] = values
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    tables = padded.reshape(-1, 8) @ bits.T.astype(float)
    sums = np.zeros(draws)
    for byte, table in enumerate(tables):
        sums += table[coins[:, byte]]
    return sums
