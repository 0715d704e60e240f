"""Tails and quantiles of the normal distribution and Student's t by mpmath, 50 digits, rounded to doubles; held against scipy where scipy is exact.

    python make_distribution_fixtures.py OUTPUT_FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mpmath as mp
from scipy import stats

mp.mp.dps = 50
FREEDOMS = [0.7, 1, 1.5, 2, 3.7, 5, 10, 29, 30.5, 64.3, 199, 499, 999, 12345.6, 1e5]
TAILS = [0.4999, 0.4, 0.25, 0.1, 0.05, 0.025, 0.005, 1e-3, 1e-6, 1e-12, 1e-30, 1e-100, 1e-200, 1e-300]


def normal_tail(z) -> mp.mpf:
    return mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2


def t_tail(t, freedom) -> mp.mpf:
    t, freedom = mp.mpf(t), mp.mpf(freedom)
    return mp.betainc(freedom / 2, mp.mpf(1) / 2, 0, freedom / (freedom + t * t), regularized=True) / 2


def inverse(tail, p) -> float:
    """The double whose tail is nearest to p, by bisection of the exact tail."""
    low, high = mp.mpf(0), mp.mpf(1)
    while tail(high) > p:
        low, high = high, high * 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > p else (low, middle)
    return float(low)


def agree(ours: float, scipys: float, within: float = 1e-9) -> None:
    assert abs(ours - scipys) <= within * abs(ours), (ours, scipys)


def main(output: Path) -> None:
    normal, student = [], []
    for p in TAILS:
        z = inverse(normal_tail, mp.mpf(p))
        agree(z, float(stats.norm.isf(p)))
        normal.append({"z": z, "tail": float(normal_tail(z)), "p": p, "quantile": z})
    for z in [0.0, 1e-9, 0.5, 1.9999, 2.0, 5.0, 37.0]:
        normal.append({"z": z, "tail": float(normal_tail(z))})
    for freedom in FREEDOMS:
        for p in TAILS:
            # Beyond what a double holds.
            if mp.mpf(p) ** (-1 / mp.mpf(freedom)) > mp.mpf(10) ** 300:
                continue
            t = inverse(lambda value: t_tail(value, freedom), mp.mpf(p))
            if p >= 1e-30:
                agree(t, float(stats.t.isf(p, freedom)), 1e-7)
            student.append({"freedom": freedom, "t": t, "tail": float(t_tail(t, freedom)), "p": p, "quantile": t})
    output.write_text(json.dumps({"normal": normal, "student": student}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
