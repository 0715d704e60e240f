"""What rounding leaves of numbers that are equal (docs/statistics.md)."""
import numpy as np

ROUNDED = 1e-12


def varies(values):
    """Do values differ by more than their last bits, in which means and differences of equal numbers may differ?"""
    return np.ptp(values) > ROUNDED * np.abs(values).max()
