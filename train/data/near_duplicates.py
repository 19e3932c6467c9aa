"""Near-duplicates: images with a copy in another set, which make a score look better than it is."""

from __future__ import annotations

import numpy as np

HASH_BITS = 10
"""Most bits of 64 in which the perceptual hashes of two candidates may differ."""

LARGEST_DIFFERENCE = 10.0
"""Largest root mean square difference of near copies, in grey levels."""


def find_near_duplicates(faces: np.ndarray, others: np.ndarray) -> list[tuple[int, int, float]]:
    """Pairs of equal or nearly equal faces of two sets.

    Candidates are found by their perceptual hashes and checked pixel by pixel.

    Args:
        faces: uint8 (N, 48, 48).
        others: uint8 (M, 48, 48).

    Returns:
        (index in ``faces``, index in ``others``, root mean square difference in grey levels; 0 for exact copies).
    """
    own, their = hashes(faces), hashes(others)
    pairs = []
    for j, wanted in enumerate(their):
        for i in np.flatnonzero(count_bits(own ^ wanted) <= HASH_BITS):
            difference = faces[i].astype(np.float32) - others[j]
            distance = float(np.sqrt((difference**2).mean()))
            if distance < LARGEST_DIFFERENCE:
                pairs.append((int(i), j, distance))
    return pairs


def hashes(faces: np.ndarray) -> np.ndarray:
    """Perceptual hashes by the low frequencies of the cosine transform: uint8 (N, 48, 48) -> uint64 (N,)."""
    import cv2

    if not len(faces):
        return np.empty(0, np.uint64)
    return np.stack([cv2.img_hash.pHash(face) for face in faces]).reshape(len(faces), 8).view(np.uint64).ravel()


def count_bits(values: np.ndarray) -> np.ndarray:
    """How many bits of each uint64 are set."""
    return _BITS[values[:, None].view(np.uint8)].sum(axis=1) if len(values) else np.empty(0, int)


_BITS = np.array([bin(i).count("1") for i in range(256)], np.uint8)
