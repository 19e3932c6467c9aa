"""Training data: folders, votes, splits and near-duplicates."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from faces import vary, write_data, write_faces

from live_emotion.errors import DataError
from live_emotion.types import EMOTIONS
from train.config import TrainConfig
from train.data.augmentation import augment
from train.data.dataset import FaceSet, list_labelled, read_faces
from train.data.held_out import hash_face, split_off
from train.data.near_duplicates import count_bits, find_near_duplicates
from train.data.splits import choose_classes, limit_per_class, load_splits
from train.data.votes import list_majority, list_shares

FER = Path(os.environ.get("LIVE_EMOTION_FER2013", "data/fer2013"))
needs_fer = pytest.mark.skipif(
    not (FER / "ferplus_votes.csv").is_file(),
    reason=f"needs FER2013 with its votes in {FER} (or in the folder that LIVE_EMOTION_FER2013 names)",
)


def test_folders_become_classes_and_pixels_stay(tmp_path, portrait):
    data = write_data(tmp_path, portrait)
    train, val, config = load_splits(TrainConfig(data=data))
    assert config.classes == ("turned", "upright")
    assert (len(train), len(val)) == (48, 12)
    np.testing.assert_array_equal(train.faces[train.labels == 1], vary(portrait, 24, 1))
    assert train.targets.sum(axis=1).tolist() == [1.0] * 48


def test_four_emotions_are_taken_of_fers_seven(tmp_path):
    for name in (*EMOTIONS, "disgust", "fear", "surprise"):
        (tmp_path / name).mkdir()
    assert choose_classes(tmp_path) == EMOTIONS
    assert len(choose_classes(tmp_path, ("all",))) == 7
    assert choose_classes(tmp_path, ("fear", "happy")) == ("fear", "happy")


def test_own_classes_are_all_taken(tmp_path):
    for name in ("yes", "no", "sad", ".cache"):
        (tmp_path / name).mkdir()
    assert choose_classes(tmp_path) == ("no", "sad", "yes")


def test_a_folder_without_classes_is_an_error(tmp_path):
    with pytest.raises(DataError, match="one folder of images for each class"):
        choose_classes(tmp_path / "nothing")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    for data, missing in ((tmp_path / "nosuch", tmp_path / "nosuch"), (tmp_path, tmp_path / "train")):
        with pytest.raises(DataError, match=re.escape(f"There is no folder {missing}; choose")):
            load_splits(TrainConfig(data=data, classes=("yes", "no")))


def test_images_that_are_all_broken_are_told_from_none(tmp_path, capsys):
    for name in ("happy", "sad"):
        (tmp_path / "train" / name).mkdir(parents=True)
        for i in range(20):
            (tmp_path / "train" / name / f"{i}.png").write_text("no image")
    with pytest.raises(DataError, match=r"None of the 40 images in .* can be read"):
        load_splits(TrainConfig(data=tmp_path))
    assert capsys.readouterr().out.count("Skipped ") == 10


def test_broken_images_are_named_and_skipped(tmp_path, portrait, capsys):
    data = write_data(tmp_path, portrait)
    (data / "train/upright/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (data / "train/upright/empty.jpg").touch()
    (data / "train/upright/notes.txt").write_text("not an image")
    train, _, _ = load_splits(TrainConfig(data=data))
    assert len(train) == 48
    printed = capsys.readouterr().out
    assert "broken.png" in printed and "empty.jpg" in printed and "2 of 50 images" in printed


@pytest.mark.parametrize("split", ["train", "val"])
def test_an_empty_class_is_an_error(tmp_path, portrait, split):
    data = write_data(tmp_path, portrait)
    (data / split / "upright").rename(tmp_path / "elsewhere")
    (data / split / "upright").mkdir()
    with pytest.raises(DataError, match=r"upright has no (training|validation)"):
        load_splits(TrainConfig(data=data))


def test_without_val_a_part_is_held_out_alike_in_classes(tmp_path, portrait):
    write_faces(tmp_path / "train/a", vary(portrait, 40, 1))
    write_faces(tmp_path / "train/b", vary(portrait, 20, 2))
    config = TrainConfig(data=tmp_path, val_fraction=0.25, seed=3)
    train, val, _ = load_splits(config)
    assert np.bincount(val.labels).tolist() == [10, 5]
    assert not set(train.files) & set(val.files)
    assert len(train) + len(val) == 60
    assert load_splits(config)[1].files == val.files
    assert load_splits(TrainConfig(data=tmp_path, val_fraction=0.25, seed=4))[1].files != val.files


def test_equal_images_stay_on_one_side_of_the_split(portrait):
    faces = np.repeat(vary(portrait, 20, 1), 2, axis=0)
    data = FaceSet(faces, np.ones((40, 1), np.float32), tuple(Path(f"{i}.png") for i in range(40)))
    train, val = split_off(data, 0.3, seed=0)
    assert not {f.tobytes() for f in train.faces} & {f.tobytes() for f in val.faces}


def test_the_limit_is_drawn_by_the_seed(tmp_path, portrait):
    write_faces(tmp_path / "a", vary(portrait, 9, 1))
    write_faces(tmp_path / "b", vary(portrait, 3, 2))
    listed = list_labelled(tmp_path, ("a", "b"))
    kept = limit_per_class(listed, 5, seed=1)
    assert [int(t.argmax()) for _, t in kept].count(0) == 5
    assert [p for p, _ in kept] == [p for p, _ in limit_per_class(listed, 5, seed=1)]
    assert [p for p, _ in kept] != [p for p, _ in limit_per_class(listed, 5, seed=2)]


def write_votes(path, rows):
    path.write_text("split,file,happiness,sadness,fear,NF\n" + "\n".join(rows) + "\n")
    return path


def test_votes_become_shares_or_a_majority(tmp_path):
    votes = write_votes(
        tmp_path / "votes.csv",
        ["train,x/1.png,6,2,2,0", "train,x/2.png,2,2,6,0", "val,x/3.png,9,1,0,0", "train,x/4.png,0,0,0,10"],
    )
    shares = list_shares(tmp_path / "train", ("happy", "sad"), votes)
    assert [p.name for p, _ in shares] == ["1.png"]
    np.testing.assert_allclose(shares[0][1], [0.75, 0.25])
    majority = list_majority(tmp_path / "train", ("happy", "sad"), votes)
    assert [(p.name, t.tolist()) for p, t in majority] == [("1.png", [1.0, 0.0])]
    assert list_majority(tmp_path / "train", ("happy", "sad"), votes, agreement=7) == []


def test_a_power_makes_the_targets_sharper_than_the_votes(tmp_path):
    votes = write_votes(tmp_path / "votes.csv", ["train,x/1.png,6,2,0,0"])
    ((_, target),) = list_shares(tmp_path / "train", ("happy", "sad"), votes, power=2)
    np.testing.assert_allclose(target, [36 / 40, 4 / 40])
    votes = write_votes(tmp_path / "votes.csv", ["train,x/1.png,1000000,999999,0,0", "train,x/2.png,1000000,0,0,0"])
    targets = [target for _, target in list_shares(tmp_path / "train", ("happy", "sad"), votes, power=10)]
    np.testing.assert_allclose(targets, [[0.5, 0.5], [1, 0]], atol=1e-5)


def test_a_tie_has_no_majority_where_that_is_asked(tmp_path):
    votes = write_votes(tmp_path / "votes.csv", ["val,x/1.png,5,5,0,0", "val,x/2.png,4,6,0,0"])
    assert len(list_majority(tmp_path / "val", ("happy", "sad"), votes)) == 2
    (only,) = list_majority(tmp_path / "val", ("happy", "sad"), votes, ties=False)
    assert only[0].name == "2.png"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,happiness\na.png,many\n", "not a table of votes"),
        ("name,happiness\na.png,3\n", "column named file"),
        ("file,happiness\na.png,3\n", "no column for the class sad"),
        ("happiness,sadness,file\n1,2\n", "line 2: it names no file"),
        ("file,happiness,sadness\na.png,3,1\na.png,3\n", "line 3: votes are whole numbers .*, not ''"),
        ("file,happiness,sadness\na.png,-1,2\n", "line 2: votes are whole numbers from 0 to 1,000,000, not '-1'"),
        ("file,happiness,sadness\na.png,1000001,2\n", "line 2: votes are whole numbers .*, not '1000001'"),
        (f"file,happiness,sadness\na.png,{'9' * 400},2\n", r"line 2: votes are whole numbers .*, not '9+\.\.\.9+'"),
    ],
)
def test_bad_votes_are_one_clear_error(tmp_path, text, message):
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        list_shares(tmp_path / "train", ("happy", "sad"), tmp_path / "votes.csv")


def test_votes_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "votes.csv").write_text("file,happiness,sadness\na.png,3,1\n", encoding="utf-8-sig")
    assert len(list_shares(tmp_path / "train", ("happy", "sad"), tmp_path / "votes.csv")) == 1


def test_missing_votes_are_one_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read the votes in .*votes\.csv: No such file"):
        list_shares(tmp_path / "train", ("happy", "sad"), tmp_path / "votes.csv")


def test_others_are_no_classes(tmp_path, portrait):
    data = write_data(tmp_path, portrait)
    write_faces(data / "train/grey", vary(portrait, 8, 5) // 4)
    write_faces(data / "val/grey", vary(portrait, 2, 6) // 4)
    train, _, config = load_splits(TrainConfig(data=data, others=("grey",)))
    assert config.classes == ("turned", "upright")
    assert config.outputs == ("turned", "upright", "grey")
    assert np.bincount(train.labels).tolist() == [24, 24, 8]
    with pytest.raises(DataError, match="grey is one of the classes"):
        load_splits(TrainConfig(data=data, classes=("grey", "upright"), others=("grey",)))


def test_images_get_the_weights_of_a_table(tmp_path, portrait, capsys):
    data = write_data(tmp_path, portrait, train=3, val=2)
    (tmp_path / "weights.csv").write_text("file,weight\nupright/000.png,2\nturned/001.png,0.5\nelsewhere.png,7\n")
    train, _, _ = load_splits(TrainConfig(data=data, sample_weights=tmp_path / "weights.csv"))
    assert dict(zip((f"{p.parent.name}/{p.name}" for p in train.files), train.weights.tolist())) == {
        "turned/000.png": 0,
        "turned/001.png": 0.25,
        "turned/002.png": 0,
        "upright/000.png": 1,
        "upright/001.png": 0,
        "upright/002.png": 0,
    }
    assert train.take(np.array([1])).weights.tolist() == [0.25]


@pytest.mark.parametrize("weight", ["1e308", "1e200", "1e-200", "5e-324"])
def test_weights_count_in_proportion_to_the_largest(tmp_path, portrait, capsys, weight):
    data = write_data(tmp_path, portrait, train=3, val=2)
    rows = [f"{name}/{i:03}.png,{weight}" for name in ("upright", "turned") for i in range(2)]
    (tmp_path / "weights.csv").write_text("\n".join(["file,weight", *rows]), encoding="utf-8-sig")
    train, _, _ = load_splits(TrainConfig(data=data, sample_weights=tmp_path / "weights.csv"))
    assert sorted(train.weights.tolist()) == [0, 0, 1, 1, 1, 1]
    assert "worth 4 of 6 images" in capsys.readouterr().out


def test_weights_of_images_that_are_held_out_draw_nothing(tmp_path, portrait):
    data = write_data(tmp_path, portrait, train=4, val=2)
    config = TrainConfig(data=data, hold_out=True, sample_weights=tmp_path / "weights.csv")
    _, held_out, _ = load_splits(replace(config, sample_weights=None))
    names = [f"{path.parent.name}/{path.name}" for path in held_out.files]
    config.sample_weights.write_text("\n".join(["file,weight", *(f"{name},1" for name in names)]))
    with pytest.raises(DataError, match=r"gives no training image in .* a weight"):
        load_splits(config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,weight\nupright/000.png,much\n", "is not a table of weights; line 2: .*, not 'much'"),
        ("file,weight\nupright/000.png,-1\n", "line 2: weights are numbers, 0 or more, not '-1'"),
        ("file,weight\nupright/000.png,nan\n", "line 2: weights are numbers, 0 or more, not 'nan'"),
        ("file,weight\nupright/000.png,1e309\n", "line 2: weights are numbers, 0 or more, not '1e309'"),
        ("file,weight\nupright/000.png\n", "line 2: weights are numbers, 0 or more, not ''"),
        ("file,weight\nupright/000.png,1\n", "gives no training image of the class turned a weight"),
        ("file\nupright/000.png\n", "a column named file and one named weight"),
        ("file,weight\nnowhere.png,1\n", "gives no training image in .* a weight"),
        (None, "Cannot read the weights"),
    ],
)
def test_a_bad_table_of_weights_is_one_clear_error(tmp_path, portrait, text, message):
    data = write_data(tmp_path, portrait, train=2, val=2)
    if text:
        (tmp_path / "weights.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load_splits(TrainConfig(data=data, sample_weights=tmp_path / "weights.csv"))


def test_what_was_held_out_before_is_held_out_again(portrait):
    faces = vary(portrait, 40, 1)
    targets = np.eye(2, dtype=np.float32)[[0] * 20 + [1] * 20]
    data = FaceSet(faces, targets, tuple(Path(f"{i}.png") for i in range(40)))
    before = {"a": [hash_face(faces[3]), hash_face(faces[4]), hash_face(faces[30])]}
    train, val = split_off(data, 0.25, seed=0, before=before, classes=("a", "b"))
    held = [int(p.stem) for p in val.files]
    assert held[:2] == [3, 4]  # of the class known before, these and no others
    assert 30 in held
    assert len(train) + len(val) == 40


def test_light_from_a_side_brightens_one_edge_and_darkens_the_other():
    grey = torch.full((64, 48, 48), 100, dtype=torch.uint8)
    config = TrainConfig(flip=0, rotation=0, translation=0, side_light=0.5)
    lit = augment(grey, config, torch.Generator().manual_seed(0)).float()
    assert torch.allclose(lit.mean(dim=(1, 2)), torch.tensor(100.0), atol=1)
    assert torch.allclose(lit + lit.flip(1, 2), torch.tensor(200.0), atol=1.5)
    assert 0.8 < (lit[:, 24, :] / 100).amax() / 1.5 <= 1.01


def test_gamma_keeps_black_and_white():
    ramp = torch.linspace(0, 255, 48).round().to(torch.uint8).expand(16, 48, 48).contiguous()
    config = TrainConfig(flip=0, rotation=0, translation=0, gamma=0.7)
    bent = augment(ramp, config, torch.Generator().manual_seed(0))
    assert (bent[:, :, 0] == 0).all() and (bent[:, :, -1] == 255).all()
    middle = bent[:, 0, 24].float() / 255
    assert middle.min() < 0.4 and middle.max() > 0.6
    assert (bent.diff(dim=2).int() >= 0).all()


def test_exact_and_near_copies_are_found(portrait):
    faces = vary(portrait, 6, 1)
    others = np.stack([faces[4], np.clip(faces[2].astype(int) + 3, 0, 255).astype(np.uint8), faces[0, ::-1]])
    pairs = {(i, j): distance for i, j, distance in find_near_duplicates(faces, others)}
    assert pairs[4, 0] == 0
    assert pairs[2, 1] == pytest.approx(3, abs=0.5)
    assert not [pair for pair in pairs if pair[1] == 2]
    assert find_near_duplicates(faces[:0], others) == []


def test_bits_are_counted():
    assert count_bits(np.array([0, 1, 2**64 - 1], np.uint64)).tolist() == [0, 1, 64]


def test_near_duplicates_are_reported_and_dropped(tmp_path, portrait, capsys):
    data = write_data(tmp_path, portrait)
    write_faces(data / "val/upright", vary(portrait, 24, 1)[:6])
    train, _, _ = load_splits(TrainConfig(data=data))
    assert "6 exactly" in capsys.readouterr().out
    dropped, val, _ = load_splits(TrainConfig(data=data, drop_duplicates=True))
    assert len(dropped) < len(train)
    assert find_near_duplicates(dropped.faces, val.faces) == []


def test_photos_of_any_size_are_read_as_grey_faces(tmp_path, portrait):
    write_faces(tmp_path / "a", portrait[None])
    faces = read_faces(list_labelled(tmp_path, ("a",)))
    assert faces.faces.shape == (1, 48, 48)
    assert faces.faces.dtype == np.uint8


@needs_fer
def test_ferplus_counts():
    votes = FER / "ferplus_votes.csv"
    assert len(list_shares(FER / "train", EMOTIONS, votes)) == 23_908
    assert len(list_majority(FER / "val", EMOTIONS, votes)) == 2_965
    assert len(list_majority(FER / "val", EMOTIONS, votes, agreement=6)) == 2_423
