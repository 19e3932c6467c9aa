"""``python -m train calibrate``."""

from __future__ import annotations

from pathlib import Path

import click

from live_emotion.cli.options import device_option
from train.cli.options import checkpoint_option, data_option, held_out_option, split_option, votes_option


@click.command("calibrate")
@checkpoint_option
@data_option
@split_option
@held_out_option
@votes_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write them.  [default: over --weights]",
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
    """Make the confidence of weights true: what it says with 80 % is right 8 times in 10.

    Fits one number, the temperature, on faces that the network was not trained on, and stores it with them;
    everything that reads them uses it. The predicted emotions stay the same.

    \b
    python -m train calibrate --weights runs/mine/best_emotion_model.pth --data faces
    """
    from live_emotion.emotions.classifier import load_network
    from live_emotion.emotions.onnx import is_onnx
    from train.evaluation import evaluate
    from train.evaluation import temperature as calibrate

    output = output or weights
    if is_onnx(weights) and (half or not is_onnx(output)):
        raise click.UsageError("A calibrated ONNX model is an ONNX model again, with its weights as they are.")
    if held_out:
        faces = evaluate.held_out_faces(weights, data, votes)
    else:
        faces = evaluate.evaluation_faces(data, split, load_network(weights).class_names, votes)
    temperature, report = calibrate.calibrate(weights, faces, device)
    calibrate.store(weights, output, temperature, report, half)
    click.echo(report)
    click.echo(f"Saved {output}")
