"""Tables that people give to training: all are read by one reader, and what is wrong with one is one clear line."""

from __future__ import annotations

import numpy as np
import pytest

from live_emotion.errors import DataError
from live_emotion.io.files.inputs import LONGEST_LINE
from train.data.dataset import FaceSet
from train.data.sample_weights import weigh
from train.data.sources.fer2013 import unpack
from train.data.votes import list_majority
from train.evaluation.groups import read_groups

PIXELS = " ".join(["7"] * 48 * 48)


def weigh_one(path):
    faces = FaceSet(np.zeros((1, 48, 48), np.uint8), np.ones((1, 1), np.float32), (path.parent / "a.png",))
    return weigh(faces, path.parent, path, ["happy"])


def unpack_voted(path):
    table = path.with_name("fer2013.csv")
    table.write_text(f"emotion,pixels\n3,{PIXELS}\n")
    return unpack(table, path, path.parent / "out")


TABLES = {
    "votes": (lambda path: list_majority(path.parent, ["happy"], path), "file,happy\n", "a.png,3\n"),
    "weights": (weigh_one, "file,weight\n", "a.png,3\n"),
    "groups": (read_groups, "file,group\n", "a.png,old\n"),
    "fer2013.csv": (lambda path: unpack(path, None, path.parent / "out"), "emotion,pixels\n", f"3,{PIXELS}\n"),
    "fer2013new.csv": (unpack_voted, "Usage,Image name,happiness,sadness\n", "Training,fer0.png,3,1\n"),
}


@pytest.fixture(params=TABLES)
def table(request, tmp_path):
    """What reads a table, where it lies, its first line and a row."""
    read, names, row = TABLES[request.param]
    (tmp_path / "out").mkdir()
    return read, tmp_path / "table.csv", names, row


def test_a_table_may_have_a_byte_order_mark_spaces_and_empty_lines(table):
    read, path, names, row = table
    path.write_text(names + row)
    expected = read(path)
    path.write_text(names.replace(",", " , ") + "\n" + row + "\n", encoding="utf-8-sig")
    assert str(read(path)) == str(expected)


DAMAGES = {
    "a long field": ("y" * 200_000 + ",1\n", "line 3: field larger than field limit"),
    "a long line": ("y" * (LONGEST_LINE + 1), "line 3: a line has more than 1,000,000 characters"),
    "a NUL": ("a\0b.png,1\n", "line 3: it holds a NUL character"),
    "other bytes": (b"\xff\xfe,1\n", "it is no text in UTF-8"),
    "no end": ('"' + "a\n" * 100_000, r"line \d+: field larger than field limit"),
}


@pytest.mark.parametrize(("more", "message"), DAMAGES.values(), ids=DAMAGES)
def test_what_is_wrong_is_one_line_with_file_and_place(table, more, message):
    read, path, names, row = table
    path.write_bytes((names + row).encode() + (more if isinstance(more, bytes) else more.encode()))
    with pytest.raises(DataError, match=rf"table\.csv is not a table of \w+[;:] {message}"):
        read(path)


def test_a_name_stands_for_one_column(table):
    read, path, names, row = table
    path.write_text(names.strip() + "," + names.split(",")[0] + "\n" + row)
    with pytest.raises(DataError, match=r"table\.csv is not a table of \w+; line 1: two columns are named"):
        read(path)


@pytest.mark.parametrize("count", ["9" * 5000, "-1", "1.5", "\u0663", ""])
def test_votes_of_fer2013_are_counts(tmp_path, count):
    (tmp_path / "new.csv").write_text(f"Usage,Image name,happiness,sadness\nTraining,a.png,1,{count}\n")
    with pytest.raises(DataError, match=r"new\.csv is not a table of votes; line 2: votes are whole numbers"):
        unpack_voted(tmp_path / "new.csv")
