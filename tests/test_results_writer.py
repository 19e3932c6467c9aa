"""Rows, and files of them that cannot be begun or completed. What else is in them, the tests of those who write say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from live_emotion.errors import OutputError
from live_emotion.io.results_writer import WRITERS, columns, open_results_writer, rows
from live_emotion.types import EMOTIONS, Frame, Prediction, TrackedFace

FRAME = Frame(0, 0.0, np.zeros((4, 4, 3), np.uint8))
FACE = TrackedFace(
    (0, 0, 4, 4), 0.9, np.zeros((6, 2), np.float32), Prediction.from_probabilities([0.25] * 4, EMOTIONS), 1
)


@pytest.fixture(params=WRITERS)
def path(request, tmp_path):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"log{request.param}"


@pytest.mark.parametrize("live", [False, True])
def test_a_full_disk_is_one_line_and_leaves_nothing(path, live, full_disk):
    with (
        full_disk(),
        pytest.raises(OutputError, match=path.name) as caught,
        open_results_writer(path, EMOTIONS, live) as writer,
    ):
        writer.write(FRAME, [FACE])
    assert "\n" not in str(caught.value)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("size", [50, 1000])
def test_a_disk_that_fills_up_leaves_what_was_logged_live_if_it_holds_a_row(path, size, full_disk):
    with (
        full_disk(size),
        pytest.raises(OutputError) as caught,
        open_results_writer(path, EMOTIONS, live=True) as writer,
    ):
        for _ in range(100):
            writer.write(FRAME, [FACE])
    kept = list(path.parent.iterdir())
    assert len(kept) == (size == 1000 and path.suffix != ".parquet")
    assert [str(file) in str(caught.value) for file in kept] == [True] * len(kept)


def test_a_file_that_cannot_be_begun_leaves_nothing_whatever_went_wrong(path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("live_emotion.io.results_writer.columns", interrupted)
    monkeypatch.setattr("live_emotion.io.results_writer.JsonLinesWriter._open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_results_writer(path, EMOTIONS)
    assert list(path.parent.iterdir()) == []


def test_what_is_discarded_leaves_nothing(path):
    writer = open_results_writer(path, EMOTIONS)
    writer.write(FRAME, [FACE])
    writer.discard()
    writer.close()
    assert list(path.parent.iterdir()) == []


def test_what_the_probabilities_lack_is_that_of_something_else():
    face = replace(FACE, prediction=Prediction.from_probabilities([0.1, 0.2, 0.2, 0.1], EMOTIONS))
    (row,) = rows(FRAME, [face], EMOTIONS)
    assert list(row) == columns(EMOTIONS)
    assert row["other"] == 0.4 and row["confidence"] == 0.2
