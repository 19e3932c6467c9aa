"""Face pixels -> network input. The only place that resizes, converts to grey or normalises faces for them.

Training, evaluation, live use and export all come through here, in two steps with room for augmentation between:

    picture -> uint8 (48, 48) -> [augment, training only] -> float32 (N, 1, 48, 48) in [-1, 1]

Scaling never depends on what a picture shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from live_emotion.errors import ArgumentError

if TYPE_CHECKING:
    import torch

Pixels = TypeVar("Pixels", np.ndarray, "torch.Tensor")
"""An array of NumPy or of PyTorch; this module needs only the first."""

FACE_SIZE = 48
"""Side of the network's input in pixels, FER2013's own."""

PIXEL_MEAN = 127.5
PIXEL_SCALE = 127.5
"""``(pixel - PIXEL_MEAN) / PIXEL_SCALE`` takes 0..255 to -1..1."""

BOX_IN_CROP = 0.84
"""Side of a BlazeFace box over the side of the FER2013 frame around it: median over 600 training images."""

CROP_RISE = 0.07
"""How far the crop's centre lies above the box's, in sides of the crop (same 600 images)."""


LARGEST_BOX = 3
"""Of a face, in longer sides of the picture, or of one of :data:`LARGE_PICTURE`: a crop must fit into the memory."""

ROWS_AT_ONCE = 64
"""Of a picture that is computed with in floating point, which takes many times its memory."""

LARGE_PICTURE = 4096
"""In pixels; below this the size of a picture does not matter."""


def crop_box(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The square around a detected face that frames it as FER2013's images frame theirs.

    Args:
        box: ``(x1, y1, x2, y2)`` in pixels, as the detector gives it.

    Returns:
        ``(x1, y1, x2, y2)`` in pixels, square; it may leave the picture.
    """
    x1, y1, x2, y2 = box
    side = max(x2 - x1, y2 - y1) / BOX_IN_CROP
    centre_x = (x1 + x2) / 2
    centre_y = (y1 + y2) / 2 - CROP_RISE * side
    return centre_x - side / 2, centre_y - side / 2, centre_x + side / 2, centre_y + side / 2


def crop_face(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Cuts a detected face out of a picture.

    Args:
        image: (H, W, 3) uint8 BGR, or any form that :func:`to_grey` takes. One of 48x48 pixels is a face already
            and is taken whole.
        box: the detector's box in pixels; the part of its crop outside the picture repeats the border.

    Returns:
        (48, 48) uint8 grey.

    Raises:
        ArgumentError: the crop and the picture do not overlap, or the box is empty, not finite, or far larger than
            the picture.
    """
    check_pixels(image)
    height, width = image.shape[:2]
    if (height, width) == (FACE_SIZE, FACE_SIZE):
        return to_grey(image)
    if not np.isfinite(box).all():
        raise ArgumentError(f"a box must be four finite numbers, not {box}")
    if min(box[2] - box[0], box[3] - box[1]) <= 0:
        raise ArgumentError(f"a box must not be empty, as {box} is")
    if max(box[2] - box[0], box[3] - box[1]) > LARGEST_BOX * max(height, width, LARGE_PICTURE):
        raise ArgumentError(f"box {box} is far larger than a picture of {width}x{height}")
    left, top, right, bottom = (round(v) for v in crop_box(box))
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    inside = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inside.size == 0:
        raise ArgumentError(f"box {box} lies outside a picture of {width}x{height}")
    grey = np.pad(
        to_grey(inside),
        ((max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0))),
        mode="edge",
    )
    return face_pixels(grey)


def face_pixels(image: np.ndarray) -> np.ndarray:
    """Takes a picture that shows a face and nothing else to the network's size.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA, uint8. One of 48x48 grey stays as it is.

    Returns:
        (48, 48) uint8 grey.
    """
    import cv2

    grey = to_grey(image)
    if grey.shape == (FACE_SIZE, FACE_SIZE):
        return grey
    shrinks = min(grey.shape) >= FACE_SIZE  # the area filter avoids aliasing, and is blocky when it enlarges
    return cv2.resize(grey, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def to_grey(image: np.ndarray) -> np.ndarray:
    """Converts a picture to grey by the luma of ITU-R BT.601, as OpenCV and JPEG do.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA, uint8; transparency is shown on grey.

    Returns:
        (H, W) uint8.

    Raises:
        ArgumentError: another shape or dtype.
    """
    import cv2

    check_pixels(image)
    if image.ndim == 2:
        return np.ascontiguousarray(image)
    if image.shape[2] == 1:
        return np.ascontiguousarray(image[:, :, 0])
    return cv2.cvtColor(flatten_alpha(image) if image.shape[2] == 4 else image, cv2.COLOR_BGR2GRAY)


def check_pixels(image: np.ndarray) -> None:
    """Looks whether an array is of a form that :func:`to_grey` takes, and not empty.

    Raises:
        ArgumentError: another shape or dtype.
    """
    if image.dtype != np.uint8:
        raise ArgumentError(f"a picture must be uint8, this one is {image.dtype}")
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3, 4))) or image.size == 0:
        raise ArgumentError(f"a picture must be (H, W), (H, W, 3) or (H, W, 4), this one is {image.shape}")


def shrunk(image: np.ndarray, largest_side: int) -> np.ndarray:
    """An image of uint8 with no side longer than this, in pixels: itself, or a smaller copy of equal proportions."""
    import cv2

    height, width = image.shape[:2]
    if max(height, width) <= largest_side:
        return image
    scale = largest_side / max(height, width)
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def flatten_alpha(image: np.ndarray) -> np.ndarray:
    """Shows a transparent picture on mid grey: (H, W, 4) uint8 BGRA -> (H, W, 3) uint8 BGR."""
    flat = np.empty((*image.shape[:2], 3), np.uint8)
    for i in range(0, len(image), ROWS_AT_ONCE):
        rows = image[i : i + ROWS_AT_ONCE]
        alpha = rows[:, :, 3:].astype(np.float32) / 255
        flat[i : i + ROWS_AT_ONCE] = np.rint(rows[:, :, :3] * alpha + round(PIXEL_MEAN) * (1 - alpha))
    return flat


def normalize_faces(faces: Pixels) -> Pixels:
    """Normalises faces for the network.

    Args:
        faces: uint8 (N, 48, 48), a NumPy array or a PyTorch tensor.

    Returns:
        float32 (N, 1, 48, 48) in [-1, 1], of the same kind and on the same device.

    Raises:
        ArgumentError: another kind, shape or dtype.
    """
    check_faces(faces)
    pixels = faces.astype(np.float32) if isinstance(faces, np.ndarray) else faces.float()
    return ((pixels - PIXEL_MEAN) / PIXEL_SCALE)[:, None]


def check_faces(faces: object) -> None:
    """Looks whether something is what the networks read: uint8 (N, 48, 48), a NumPy array or a PyTorch tensor.

    Raises:
        ArgumentError: it is not.
    """
    dtype = str(getattr(faces, "dtype", type(faces).__name__)).removeprefix("torch.")
    shape = tuple(getattr(faces, "shape", ()))
    if dtype != "uint8" or len(shape) != 3 or shape[1:] != (FACE_SIZE, FACE_SIZE):
        raise ArgumentError(f"faces must be uint8 (N, {FACE_SIZE}, {FACE_SIZE}), not {dtype} {shape}")
