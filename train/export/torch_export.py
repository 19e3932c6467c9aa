"""Weights as a program of ``torch.export``, which runs without this package's code."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.io.description import describe
from live_emotion.io.files.atomic import atomic_path
from live_emotion.models.checkpoint import Checkpoint
from train.engine.steps import predict_logits
from train.export.agreement import Agreement, check, compare


def export_program(model: nn.Module) -> torch.export.ExportedProgram:
    """A network as a program for batches of any size."""
    example = torch.zeros(2, 1, FACE_SIZE, FACE_SIZE)  # a batch of 1 would be taken for a constant
    return torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))


def save_pt2(checkpoint: Checkpoint, path: Path, faces: np.ndarray) -> Agreement:
    """Writes a program, after a check against the network.

    ``torch.export.load`` reads it; the checkpoint's description lies in its extra file ``description.json``.

    Args:
        checkpoint: what to export.
        path: the ``.pt2`` file.
        faces: uint8 (N, 48, 48) to check it on.

    Returns:
        how near the program, as it was read back from the file, is to the network.

    Raises:
        OutputError: the file cannot be written.
        LiveEmotionError: the program gives other probabilities.
    """
    program = export_program(checkpoint.build())
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names this machine's folders
    with atomic_path(path) as temporary:
        with quiet():
            extra = {"description.json": json.dumps(describe(checkpoint))}
            torch.export.save(program, temporary, extra_files=extra)
            model = torch.export.load(temporary).module()
        agreement = compare(predict_logits(model, faces), predict_logits(checkpoint.build(), faces))
        check(agreement)
    return agreement


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps the exporters' remarks on their own inner life off the screen."""
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
