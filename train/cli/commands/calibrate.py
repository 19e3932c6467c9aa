"""``python -m train calibrate``."""

from __future__ import annotations

from pathlib import Path

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import device_option, force_option
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
    help="Where to write them, a file of the same kind.  [default: over --weights]",
)
@click.option("--half", is_flag=True, help="Store the weights in float16, which halves the file.")
@device_option
@force_option
def command(
    weights: Path,
    data: Path,
    split: str,
    held_out: bool,
    votes: Path | None,
    output: Path | None,
    half: bool,
    device: str,
    force: bool,
) -> None:
    """Calibrate the confidence of weights: what it gives 80 % is right 8 times in 10.

    Temperature scaling: one number, the temperature, is fitted on faces that the network was not trained on and stored
    with the weights, for everything that reads them. The predicted emotions stay the same.

    \b
    python -m train calibrate --weights runs/mine/best_emotion_model.pth --data faces
    """
    from live_emotion.emotions.classifier import load_network
    from live_emotion.emotions.onnx import is_onnx
    from live_emotion.io.files.atomic import refuse_existing
    from train.evaluation.selection import evaluation_faces, held_out_faces
    from train.evaluation.temperature import calibrate, store

    if is_onnx(weights) and (half or (output and not is_onnx(output))):
        raise click.UsageError("A calibrated ONNX model is an ONNX model again, with its weights as they are.")
    if output and not is_onnx(weights) and output.suffix != ".pth":
        raise click.BadParameter(f"{output} should end in .pth.", param_hint="--output")
    if output:
        refuse_existing(output, force)
    output = output or weights
    if held_out:
        faces = held_out_faces([weights], data, votes)
    else:
        network = load_network(weights)
        faces = evaluation_faces(data, split, network.class_names + network.other_names, votes)
    temperature, report = calibrate(weights, faces, device)
    store(weights, output, temperature, report, half)
    say(report)
    say(f"Saved {output}")
