"""``python -m train export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from live_emotion.cli.console import say
from live_emotion.cli.options import force_option
from train.cli.options import checkpoint_option, held_out_option, split_option, votes_option

if TYPE_CHECKING:
    from live_emotion.emotions.classifier import Network
    from train.data.dataset import FaceSet


@click.command("export")
@checkpoint_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A .onnx file, or a .pt2 file for torch.export.load.  [default: the checkpoint's name with .onnx]",
)
@click.option("--opset", type=click.IntRange(18), default=18, show_default=True, help="Version of ONNX's operators.")
@click.option(
    "--int8",
    type=click.Choice(("dynamic", "static")),
    help="Quantise to 8 bits. dynamic: the fully connected layers, needs no data. static: convolutions, too, "
    "which makes it faster; fitted on faces of the train folder in --data.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Check the export on these faces, and measure what int8 costs.  [default: check it on the demo's portrait]",
)
@split_option
@held_out_option
@votes_option
@force_option
def command(
    weights: Path,
    output: Path | None,
    opset: int,
    int8: str | None,
    data: Path | None,
    split: str,
    held_out: bool,
    votes: Path | None,
    force: bool,
) -> None:
    """Write weights as ONNX or for torch.export.

    The file holds class names, temperature and preprocessing, too. It is run on real faces and compared with PyTorch
    before it is kept. Weights that the checkpoint holds in float16 stay so.

    \b
    python -m train export --weights runs/mine/best_emotion_model.pth -o mine.onnx
    python -m train export --weights mine.pth -o mine-int8.onnx --int8 static --data faces
    live-emotion webcam --weights mine.onnx
    """
    output = output or weights.with_suffix(".onnx")
    if output.suffix not in (".onnx", ".pt2"):
        raise click.BadParameter(f"{output} should end in .onnx or .pt2.", param_hint="--output")
    if output.suffix == ".pt2" and int8:
        raise click.UsageError("--int8 is for ONNX.")
    if int8 == "static" and not data:
        raise click.UsageError("--int8 static needs --data, a training folder.")

    from live_emotion.io.files.atomic import refuse_existing
    from live_emotion.models.checkpoint import load_checkpoint
    from train.data.sources.crops import portrait_faces
    from train.evaluation.selection import evaluation_faces, held_out_faces
    from train.export import onnx as export
    from train.export.quantization import FITTING_FACES
    from train.export.torch_export import save_pt2

    refuse_existing(output, force)
    checkpoint = load_checkpoint(weights)
    classes = checkpoint.class_names
    labelled = None
    if data:
        labelled = held_out_faces([weights], data, votes) if held_out else evaluation_faces(data, split, classes, votes)
    faces = labelled.faces if labelled else portrait_faces()
    say(f"Exporting {checkpoint.arch}; this takes some seconds.")
    if output.suffix == ".pt2":
        agreement = save_pt2(checkpoint, output, faces)
    else:
        fitting = None
        if data and int8 == "static":
            each = -(-FITTING_FACES // len(classes))
            fitting = evaluation_faces(data, "train", classes, votes, per_class=each).faces
        whole, small, agreement = export.save_onnx(checkpoint, output, faces, opset, bool(int8), fitting)
    say(
        f"Checked on {len(faces)} real faces against PyTorch: the same emotion for {agreement.same:.2%}, "
        f"no probability differs by more than {agreement.difference:.2g}."
    )
    if int8:
        _print_cost(whole, small, labelled)
    say(f"Saved {output} ({output.stat().st_size / 1e6:.1f} MB)")


def _print_cost(whole: Network, small: Network, labelled: FaceSet | None) -> None:
    """What int8 costs and brings."""
    from train.export import onnx as export

    for name, network in (("float32", whole), ("int8", small)):
        line = f"{name:8} {export.face_ms(network):6.2f} ms a face"
        if labelled:
            shown = export.all_logits(network, labelled.faces)[:, : len(network.class_names)]
            right = shown.argmax(axis=1) == labelled.labels
            line += f", accuracy {right.mean():.2%} of {len(labelled)} images"
        say(line)
