"""``python -m train calibrate``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from live_emotion.options import device_option
from train.options import data_option, held_out_option, split_option, votes_option


@click.command("calibrate")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    default=Path("runs/latest/best_emotion_model.pth"),
    show_default=True,
    metavar="FILE",
    help="Checkpoint to calibrate.",
)
@data_option
@split_option
@held_out_option
@votes_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it; not given: over the checkpoint.",
)
@click.option("--half", is_flag=True, help="Store the weights in float16, which halves the file.")
@device_option
def command(
    weights: Path,
    data: Path,
    split: str,
    held_out: bool,
    votes: Path | None,
    output: Path | None,
    half: bool,
    device: str,
) -> None:
    """Make a checkpoint's confidence true: what it says with 80 % is right 8 times in 10.

    Fits one number, the temperature, on faces that the network was not trained on, and stores it in the checkpoint;
    everything that reads the checkpoint uses it. The predicted emotions stay the same.

    \b
    python -m train calibrate --weights runs/mine/best_emotion_model.pth --data faces
    """
    from live_emotion.checkpoint import load_checkpoint
    from train import calibrate, evaluate

    if held_out:
        faces = evaluate.held_out_faces(weights, data, votes)
    else:
        faces = evaluate.evaluation_faces(data, split, load_checkpoint(weights).class_names, votes)
    checkpoint, report = calibrate.calibrate(weights, faces, device)
    calibrate.store(replace(checkpoint, half=half or checkpoint.half), output or weights)
    click.echo(report)
    click.echo(f"Saved {output or weights}")
