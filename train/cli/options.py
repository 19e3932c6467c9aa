"""Options that several commands of training share."""

from __future__ import annotations

from pathlib import Path

import click

checkpoint_option = click.option(
    "--weights",
    type=click.Path(path_type=Path),
    default=Path("runs/latest/best_emotion_model.pth"),
    show_default=True,
    metavar="FILE",
    help="Weights that training wrote.",
)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    metavar="DIR",
    help="Folder that holds the split's folder, or itself one folder of images for each class.",
)
split_option = click.option(
    "--split", default="val", show_default=True, help="Folder in it: val, test, train or another."
)
held_out_option = click.option(
    "--held-out",
    is_flag=True,
    help="Use the images that the weights' run held out of its train folder, with the labels that they had in it.",
)
votes_option = click.option(
    "--votes",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV of people's votes; the most frequent answer is the truth, in place of the folder's name.",
)
