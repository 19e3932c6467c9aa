"""``python -m train evaluate``."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from live_emotion.cli.console import print_json, say
from live_emotion.cli.options import device_option, force_option, weights_option
from train.cli.options import data_option, held_out_option, split_option, votes_option

EVALUATION = Path("runs/evaluation")
"""Where no other folder is named."""


@click.command("evaluate")
@weights_option
@data_option
@split_option
@held_out_option
@votes_option
@click.option(
    "--min-agreement",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="With --votes: only images whose winner has at least so many votes.",
)
@click.option(
    "--without-ties", is_flag=True, help="With --votes: only images of which one answer is the most frequent."
)
@click.option(
    "--without-duplicates",
    "no_duplicates",
    is_flag=True,
    help="Also measure without the images that have a copy in training.",
)
@click.option(
    "--groups",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Also measure groups: a table with a column named file and one or more that name each image's group.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the figures as JSON, every prediction as CSV, and plots.  "
    f"[default: {EVALUATION}, whose last evaluation gives way]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of tables.")
@device_option
@force_option
def command(
    weights: tuple[str, ...],
    data: Path,
    split: str,
    held_out: bool,
    votes: Path | None,
    min_agreement: int,
    without_ties: bool,
    no_duplicates: bool,
    groups: Path | None,
    output: Path | None,
    as_json: bool,
    device: str,
    force: bool,
) -> None:
    """Measure how good weights are.

    Accuracy, balanced accuracy, precision, recall and F1 of each class, the confusion matrix, the calibration error,
    and how right the most confident predictions are; with plots, and the most confident mistakes. Several
    --weights are measured as one: their probabilities are averaged. Where weights know other categories than their
    classes, images of those are measured, too: how many are named as a class with more than 80 %, and how many images
    of the classes are taken for something else.

    --groups tells whether weights are as good for one group of people as for another: each group's scores with 95 %
    confidence intervals, the largest gap, how often shuffled groups have one as large, and a picture, groups.png.

    \b
    python -m train evaluate --data faces
    python -m train evaluate --data fer2013 --votes fer2013/ferplus_votes.csv --min-agreement 6
    python -m train evaluate --weights a.pth --weights b.pth --split test
    python -m train evaluate --data faces --groups ages.csv
    """
    from live_emotion.emotions.classifier import EmotionClassifier
    from live_emotion.io.files.atomic import refuse_existing
    from train.evaluation.evaluation import evaluate
    from train.evaluation.groups import PICTURE, compare_groups, draw_groups, figures_of, print_groups, read_groups
    from train.evaluation.report import FILES, print_figures, write_report
    from train.evaluation.selection import evaluation_faces, held_out_faces, without_duplicates

    if (min_agreement > 1 or without_ties) and not votes:
        raise click.UsageError("--min-agreement and --without-ties need --votes.")
    for name in (*FILES, *([PICTURE] if groups else ())) if output else ():
        refuse_existing(output / name, force, "choose another folder with -o")
    output = output or EVALUATION
    if groups:
        read_groups(groups)  # so that what is wrong with it is said at once
    classifier = EmotionClassifier(weights, device)
    with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):  # remarks on the images
        if held_out:
            faces = held_out_faces(classifier.files, data, votes, min_agreement, ties=not without_ties)
        else:
            names = classifier.class_names + classifier.other_names
            faces = evaluation_faces(data, split, names, votes, min_agreement, ties=not without_ties)
            if split == "train":
                click.echo("The network may have been trained on these images, which flatters it.", err=True)
        result = evaluate(classifier, faces)
        figures = result.figures() | {"weights": [file.name for file in classifier.files]}
        if no_duplicates:
            figures["without_duplicates"] = without_duplicates(result, data / "train").figures()
        groupings = compare_groups(result, groups) if groups else []
        if groupings:
            figures["groups"] = figures_of(groupings)
    if as_json:
        print_json(figures)
    else:
        print_figures(figures)
        if no_duplicates:
            click.echo("\nWithout the images that have a copy in training:")
            print_figures(figures["without_duplicates"])
        print_groups(groupings)
    write_report(result, figures, output)
    if groupings:
        draw_groups(groupings, output / PICTURE)
    say(f"Saved the report in {output}", err=as_json)
