"""Scores of groups of people, how sure they are, and the gap between groups."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from faces import TINY, write_data

from live_emotion.errors import DataError
from train.cli.main import cli
from train.config import TrainConfig
from train.data.dataset import FaceSet
from train.engine.run_folder import BEST
from train.engine.trainer import train
from train.evaluation.evaluation import Evaluation
from train.evaluation.groups import FEWEST, MOST_GROUPS, compare_groups, group_of, read_groups

CLASSES = ("calm", "glad")


def write_table(path, rows, columns=("file", "group")):
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(rows)
    return path


def evaluation(right):
    """An evaluation whose image ``i.png`` shows class ``i % 2`` and is right where ``right[i]`` says so."""
    count = len(right)
    labels = np.arange(count) % 2
    called = np.where(right, labels, 1 - labels)
    files = [Path("val", CLASSES[label], f"{i}.png") for i, label in enumerate(labels)]
    data = FaceSet(np.zeros((count, 48, 48), np.uint8), np.eye(2, dtype=np.float32)[labels], tuple(files))
    return Evaluation(data, CLASSES, np.eye(2, dtype=np.float32)[called])


def test_a_gap_that_is_there_is_found_and_is_no_chance(tmp_path):
    right = np.arange(400) % 10 < np.where(np.arange(400) < 200, 9, 6)
    table = write_table(tmp_path / "a.csv", [(f"{i}.png", "old" if i < 200 else "young") for i in range(400)])
    (grouping,) = compare_groups(evaluation(right), table)
    assert grouping.images == {"old": 200, "young": 200}
    for name, share in (("old", 0.9), ("young", 0.6)):
        score = grouping.scores[name]["accuracy"]
        assert score.value == pytest.approx(share)
        assert score.low < share < score.high
        # about what a binomial gives
        assert score.high - score.low == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 200), rel=0.25)
    gap = grouping.gaps["accuracy"]
    assert (gap.best, gap.worst, gap.size) == ("old", "young", pytest.approx(0.3))
    assert gap.by_chance < 0.01


def test_groups_that_are_alike_have_a_gap_by_chance(tmp_path):
    right = np.random.default_rng(1).random(200) < 0.7
    table = write_table(tmp_path / "a.csv", [(f"{i}.png", f"group {i // 20}") for i in range(200)])
    (grouping,) = compare_groups(evaluation(right), table)
    assert grouping.gaps["accuracy"].size > 0.1
    assert grouping.gaps["accuracy"].by_chance > 0.05


def test_mean_recall_compares_only_classes_that_every_group_has(tmp_path):
    right = np.ones(60, bool)
    right[1::4] = False  # half of the second class
    rows = [(f"{i}.png", "both" if i < 40 else "calm alone") for i in range(60) if i < 40 or i % 2 == 0]
    (grouping,) = compare_groups(evaluation(right), write_table(tmp_path / "a.csv", rows))
    assert grouping.scores["both"]["mean_recall"].value == 1
    assert grouping.scores["both"]["recall_glad"].value == pytest.approx(0.5)
    assert "recall_glad" not in grouping.scores["calm alone"]
    assert grouping.gaps["mean_recall"].size == 0


def test_small_groups_have_scores_and_no_gap(tmp_path):
    rows = [(f"{i}.png", "few" if i < FEWEST - 1 else "many") for i in range(40)]
    (grouping,) = compare_groups(evaluation(np.ones(40, bool)), write_table(tmp_path / "a.csv", rows))
    assert set(grouping.scores) == {"few", "many"}
    assert grouping.gaps == {}


def test_images_are_named_with_as_many_folders_as_are_needed(tmp_path):
    files = [Path("/data/val/calm/1.png"), Path("/data/val/glad/1.png"), Path("/data/val/glad/2.png")]
    assert group_of(files, {"calm/1.png": "a", "val/glad/1.png": "b"}) == ["a", "b", ""]


def test_every_column_is_a_grouping(tmp_path):
    rows = [(f"{i}.png", "x" if i % 4 < 2 else "y", "p" if i < 20 else "") for i in range(40)]
    table = write_table(tmp_path / "a.csv", rows, ("file", "age", "sex"))
    ages, sexes = compare_groups(evaluation(np.ones(40, bool)), table)
    assert (ages.column, ages.images) == ("age", {"x": 20, "y": 20})
    assert (sexes.column, sexes.images) == ("sex", {"p": 20}), "who is in no group is left out"


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([("1.png",)], ("file",), "needs a column named file and one that names"),
        ([("1.png", "a")], ("image", "group"), "needs a column named file"),
        ([("1.png", "a"), ("1.png", "b")], ("file", "group"), r"puts 1\.png into two groups, a and b"),
        ([("other.png", "a")], ("file", "group"), "names none of the 40 images"),
        ([(f"{i}.png", i) for i in range(MOST_GROUPS + 1)], ("file", "who"), "51 groups in its column who; at most 50"),
    ],
)
def test_what_is_no_table_of_groups_is_one_clear_line(tmp_path, rows, columns, message):
    table = write_table(tmp_path / "a.csv", rows, columns)
    with pytest.raises(DataError, match=message):
        compare_groups(evaluation(np.ones(40, bool)), table)


def test_a_table_that_is_missing_or_no_text_is_one_clear_line(tmp_path):
    with pytest.raises(DataError, match="Cannot read the groups in"):
        read_groups(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_bytes(b"file,group\n\xff\xfe,a\n")
    with pytest.raises(DataError, match="is not a table of groups"):
        read_groups(tmp_path / "a.csv")


def test_the_command_prints_and_draws_them(tmp_path, portrait):
    data = write_data(tmp_path / "faces", portrait, val=12)
    train(TrainConfig(data=data, output=tmp_path / "run", network=TINY, epochs=2, batch_size=8, device="cpu"))
    rows = [
        (f"{name}/{i:03}.png", "even" if i % 2 == 0 else "odd") for name in ("turned", "upright") for i in range(12)
    ]
    table = write_table(tmp_path / "groups.csv", rows, ("file", "number"))
    common = ["evaluate", "--weights", str(tmp_path / "run" / BEST), "--data", str(data), "--groups", str(table)]
    done = CliRunner().invoke(cli, [*common, "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "number  images  accuracy" in done.output
    assert "Largest gap of accuracy: " in done.output
    figures = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert figures["groups"]["number"]["images"] == {"even": 12, "odd": 12}
    assert cv2.imread(str(tmp_path / "out" / "groups.png")) is not None
    printed = json.loads(CliRunner().invoke(cli, [*common, "-o", str(tmp_path / "out"), "--json", "--force"]).stdout)
    assert printed == figures, "the same each time"
