"""Training folders made of fer2013.csv, of photos, and of what a camera sees."""

from __future__ import annotations

import csv
import os

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from faces import place, vary, write_faces, write_photos_of_phones

from live_emotion.errors import CameraError, DataError, OutputError
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.faces.preprocessing import crop_face
from live_emotion.io.video.writer import VideoWriter
from live_emotion.types import EMOTIONS, Frame
from train.cli.main import cli
from train.data.dataset import image_files
from train.data.folders import UNFINISHED_FOLDER
from train.data.sources import prepare as photos
from train.data.sources.collect import collect
from train.data.sources.fer2013 import prepare_table
from train.data.sources.prepare import prepare_photos
from train.data.votes import list_majority

USAGES = ["Training"] * 7 + ["PublicTest", "PrivateTest"]
ANSWERS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")


@pytest.fixture
def detector():
    with FaceDetector() as it:
        yield it


def write_table(path, faces, usages=USAGES, emotions=None, header="emotion,pixels,Usage"):
    names = [name.strip() for name in header.split(",")]
    with path.open("w", newline="") as file:
        file.write(header + "\n")
        for i, face in enumerate(faces):
            values = {"emotion": (emotions or range(9))[i] % 7, "Usage": usages[i]}
            values["pixels"] = " ".join(map(str, face.ravel())) if isinstance(face, np.ndarray) else face
            csv.writer(file).writerow([values[name] for name in names])
    return path


def write_new(path, votes, usages=USAGES, faceless=()):
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Usage", "Image name", *ANSWERS])
        for i, counts in enumerate(votes):
            table.writerow([usages[i], "" if i in faceless else f"fer{i:07d}.png", *counts])
    return path


def test_every_row_becomes_its_image(tmp_path, portrait):
    faces = vary(portrait, 9, 1)
    counts = prepare_table(write_table(tmp_path / "fer2013.csv", faces), tmp_path / "data")
    assert counts["train", "happy"] == counts["val", "angry"] == counts["test", "disgust"] == 1
    assert counts.total() == 9
    for i, file in enumerate(["train/angry/fer0000000", "train/disgust/fer0000001", "train/fear/fer0000002"]):
        stored = cv2.imread(str(tmp_path / f"data/{file}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(stored, faces[i])
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["test", "train", "val"]


def test_the_other_spelling_of_the_table_and_one_without_splits(tmp_path, portrait):
    faces = vary(portrait, 3, 1)
    prepare_table(write_table(tmp_path / "icml.csv", faces, header="emotion, Usage, pixels"), tmp_path / "a")
    assert len(image_files(tmp_path / "a/train/fear")) == 1
    prepare_table(write_table(tmp_path / "train.csv", faces, header="emotion,pixels"), tmp_path / "b")
    assert len(image_files(tmp_path / "b/train/fear")) == 1


def test_votes_lie_beside_and_name_the_images(tmp_path, portrait):
    votes = np.zeros((9, 10), int)
    votes[:, 1] = 7  # happy, says everybody
    votes[:, 9] = 3
    write_table(tmp_path / "fer2013.csv", vary(portrait, 9, 1))
    write_new(tmp_path / "fer2013new.csv", votes, faceless=[2])
    done = CliRunner().invoke(cli, ["prepare", str(tmp_path / "fer2013.csv"), "-o", str(tmp_path / "data")])
    assert done.exit_code == 0, done.output
    assert "1 images show no face" in done.output
    listed = list_majority(tmp_path / "data/train", EMOTIONS, tmp_path / "data/votes.csv", agreement=7)
    assert len(listed) == 6
    assert all(path.is_file() and EMOTIONS[target.argmax()] == "happy" for path, target in listed)
    assert not image_files(tmp_path / "data/train/fear")
    assert "--votes" in done.output.splitlines()[-1]


def test_votes_of_another_table_are_refused(tmp_path, portrait):
    table = write_table(tmp_path / "fer2013.csv", vary(portrait, 9, 1))
    votes = np.ones((9, 10), int)
    shorter = write_new(tmp_path / "shorter.csv", votes[:8])
    with pytest.raises(DataError, match="differ in row 8"):
        prepare_table(table, tmp_path / "data", shorter)
    moved = write_new(tmp_path / "moved.csv", votes, usages=USAGES[::-1])
    with pytest.raises(DataError, match="differ in row 0"):
        prepare_table(table, tmp_path / "data", moved)
    assert not (tmp_path / "data/train").exists()


@pytest.mark.parametrize("damage", ["1 2 3", "", "x " * 2304, "256 " * 2304, "-1 " * 2304])
def test_broken_rows_are_named_and_left_out(tmp_path, portrait, damage, capsys):
    faces = [*vary(portrait, 2, 1), damage]
    assert prepare_table(write_table(tmp_path / "fer2013.csv", faces), tmp_path / "data").total() == 2
    assert "Skipped row 2" in capsys.readouterr().out


def test_of_many_broken_rows_a_few_are_named_in_short_lines(tmp_path, portrait, capsys):
    """Usages of a thousand letters, an emotion of more digits than Python reads, one of another script."""
    faces, emotions = vary(portrait, 1, 1), ["9" * 5000, "\u0663", *range(300)]
    pixels = " ".join(map(str, faces[0].ravel()))
    rows = [f"{emotion},{pixels},{'Training' if i < 3 else 'y' * 1000}" for i, emotion in enumerate(emotions)]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]), encoding="utf-8")
    assert prepare_table(tmp_path / "fer2013.csv", tmp_path / "data") == {("train", "angry"): 1}
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert max(map(len, lines)) < 100 + len(str(tmp_path))
    assert "Skipped row 0 of" in lines[0] and "unknown emotion '9999" in lines[0]
    assert "unknown usage 'yyyy" in lines[2]
    assert "301 " in lines[-1]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00\x00", b"emotion,pixels,Usage\n"])
def test_what_is_no_such_table_is_one_clear_error(tmp_path, content):
    (tmp_path / "fer2013.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"fer2013\.csv"):
        prepare_table(tmp_path / "fer2013.csv", tmp_path / "data")


@pytest.fixture
def album(tmp_path, portrait, two_faces, no_face):
    """Photos of two classes, with everything that can be wrong with a photo."""
    folder = tmp_path / "album"
    for label, seed in (("yes", 1), ("no", 2)):
        (folder / label).mkdir(parents=True)
        for i, photo in enumerate(place(portrait, 3, seed)):
            assert cv2.imwrite(str(folder / label / f"{i}.jpg"), photo)
    cv2.imwrite(str(folder / "yes/0.png"), portrait)  # of the same stem as 0.jpg
    cv2.imwrite(str(folder / "yes/wall.png"), no_face)
    (folder / "yes/broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    couple = np.full((700, 1400, 3), 120, np.uint8)
    couple[50:650, :512] = portrait
    couple[300:600, 900:1156] = cv2.resize(portrait, (256, 300), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "no/couple.png"), couple)
    write_faces(folder / "no", vary(portrait, 1, 3))  # 000.png, 48x48: a face already
    return folder


def test_photos_become_the_faces_that_live_use_sees(tmp_path, album, detector, capsys, portrait):
    counts = prepare_photos(album, tmp_path / "data", "train", detector)
    assert counts == {("train", "yes"): 4, ("train", "no"): 5}
    names = sorted(p.name for p in (tmp_path / "data/train/yes").iterdir())
    assert names == ["0_jpg.png", "0_png.png", "1.png", "2.png"]
    (face,) = detector.detect(portrait)
    stored = cv2.imread(str(tmp_path / "data/train/yes/0_png.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, crop_face(portrait, face.box))
    couple = cv2.imread(str(album / "no/couple.png"))
    (left,) = [f for f in detector.detect(couple) if f.box[0] < 512]  # the large one of the two
    stored = cv2.imread(str(tmp_path / "data/train/no/couple.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, crop_face(couple, left.box))
    small = cv2.imread(str(tmp_path / "data/train/no/000.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(small, vary(portrait, 1, 3)[0])
    printed = capsys.readouterr().out
    for part in ("wall.png shows no face", "broken.jpg cannot be read", "couple.png shows 2 faces; took the largest"):
        assert part in printed
    for fault in ("could not be read", "gave no face"):
        assert f"Left out 1 of 11 photos in {album} that {fault}." in printed


def test_photos_of_phones_become_faces_and_what_is_no_photo_is_named(tmp_path, portrait, detector, capsys):
    folder = tmp_path / "album" / "yes"
    write_photos_of_phones(folder, portrait)
    (folder / "notes.txt").write_text("of Sunday")
    (folder / ".hidden").write_text("")
    assert prepare_photos(tmp_path / "album", tmp_path / "data", "train", detector) == {("train", "yes"): 3}
    assert f"Skipped 1 of 4 in {folder}, no photos by their names: notes.txt" in capsys.readouterr().out


def test_photos_in_splits_stay_in_them(tmp_path, portrait, detector):
    for split in ("train", "val"):
        write_faces(tmp_path / "album" / split / "yes", vary(portrait, 2, 1))
    counts = prepare_photos(tmp_path / "album", tmp_path / "data", "test", detector)
    assert counts == {("train", "yes"): 2, ("val", "yes"): 2}


def test_what_was_stopped_goes_on_and_appears_whole(tmp_path, album, detector, monkeypatch):
    target = tmp_path / "data"
    read = photos.read_image
    calls = []

    def stop_at_fourth(path, *more):
        calls.append(path)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return read(path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(photos, "read_image", stop_at_fourth)
        with pytest.raises(KeyboardInterrupt):
            prepare_photos(album, target, "train", detector)
    assert os.listdir(target) == [UNFINISHED_FOLDER]
    again = []
    monkeypatch.setattr(photos, "read_image", lambda path, *more: again.append(path) or read(path, *more))
    assert prepare_photos(album, target, "train", detector).total() == 9
    assert not set(calls[:3]) & set(again)
    assert os.listdir(target) == ["train"]


def test_what_a_failure_leaves_is_named_and_goes_on_with_the_photos_that_are_there(
    tmp_path, portrait, no_face, detector, capsys
):
    album, target = tmp_path / "album", tmp_path / "data"
    for name, images in (("happy", [portrait, portrait[:, ::-1]]), ("sad", [no_face])):
        (album / name).mkdir(parents=True)
        for i, image in enumerate(images):
            cv2.imwrite(str(album / name / f"{i}.png"), image)
    with pytest.raises(DataError, match=r"No photo in .*sad shows a face"):
        prepare_photos(album, target, "train", detector)
    assert f"stays in {target / UNFINISHED_FOLDER}; the same command goes on" in capsys.readouterr().out
    (album / "happy/1.png").unlink()
    (album / "sad").rename(tmp_path / "away")
    assert prepare_photos(album, target, "train", detector) == {("train", "happy"): 1}
    assert [str(path.relative_to(target)) for path in sorted(target.rglob("*"))] == [
        "train",
        os.path.join("train", "happy"),
        os.path.join("train", "happy", "0.png"),
    ]


def test_a_failure_leaves_nothing_that_nobody_goes_on_with(tmp_path, no_face, portrait, detector, capsys):
    (tmp_path / "album/sad").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "album/sad/wall.png"), no_face)
    with pytest.raises(DataError, match=r"No photo in .*sad shows a face"):
        prepare_photos(tmp_path / "album", tmp_path / "data", "train", detector)
    assert os.listdir(tmp_path / "data") == []
    votes = write_new(tmp_path / "fer2013new.csv", np.ones((3, 10), int))
    with pytest.raises(DataError, match="differ in row 3"):
        prepare_table(write_table(tmp_path / "fer2013.csv", vary(portrait, 9, 1)), tmp_path / "data", votes)
    assert os.listdir(tmp_path / "data") == []
    assert "goes on" not in capsys.readouterr().out


def test_nothing_is_written_over_without_force(tmp_path, album, detector):
    write_faces(tmp_path / "data/train/old", np.zeros((1, 48, 48), np.uint8))
    (tmp_path / "data/README.md").write_text("stays")
    with pytest.raises(OutputError, match="exists already"):
        prepare_photos(album, tmp_path / "data", "train", detector)
    assert (tmp_path / "data/train/old/000.png").exists()
    prepare_photos(album, tmp_path / "data", "train", detector, force=True)
    assert sorted(os.listdir(tmp_path / "data/train")) == ["no", "yes"]
    assert (tmp_path / "data/README.md").read_text() == "stays"


def test_a_class_without_faces_is_an_error(tmp_path, no_face, detector):
    (tmp_path / "album/yes").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "album/yes/wall.png"), no_face)
    with pytest.raises(DataError, match=r"No photo in .*yes shows a face"):
        prepare_photos(tmp_path / "album", tmp_path / "data", "train", detector)
    with pytest.raises(DataError, match="one folder of photos for each class"):
        prepare_photos(tmp_path / "album/yes", tmp_path / "data", "train", detector)


def test_faces_of_every_nth_frame_are_collected_and_numbered_on(tmp_path, portrait, no_face, detector):
    frames = [Frame(i, i**2, no_face if i == 3 else portrait) for i in range(12)]
    folder = tmp_path / "happy"
    shown = []
    tallies = list(collect(frames, detector, folder, 3, 2, lambda image: shown.append(image) or True))
    # of frames 0, 2 and 4, whatever time they were taken at
    assert (tallies[-1].stored, tallies[-1].frames, tallies[-1].faceless) == (3, 5, 1)
    assert [p.name for p in image_files(folder)] == ["happy_00001.png", "happy_00002.png", "happy_00003.png"]
    assert shown[0].shape == portrait.shape and (shown[0] != portrait).any()
    list(collect(frames, detector, folder, 1, 2))
    assert image_files(folder)[-1].name == "happy_00004.png"
    (face,) = detector.detect(portrait)
    stored = cv2.imread(str(folder / "happy_00004.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, crop_face(portrait, face.box))


def test_closing_the_window_ends_collecting(tmp_path, portrait, detector):
    frames = [Frame(i, i / 10, portrait) for i in range(9)]
    tallies = list(collect(frames, detector, tmp_path / "happy", 9, 1, lambda _: False))
    assert len(tallies) == 1


def test_a_video_stands_for_a_camera(tmp_path, portrait, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    with VideoWriter(tmp_path / "me.mp4") as video:
        for i in range(8):
            video.write(portrait, i / 10)
    options = ["--camera", tmp_path / "me.mp4", "--data", tmp_path / "data", "--count", 2, "--every", 3]
    done = CliRunner().invoke(cli, [str(a) for a in ["collect", "--label", "happy", *options]])
    assert done.exit_code == 0, done.output
    assert "Stored 2 faces" in done.output
    assert len(image_files(tmp_path / "data/train/happy")) == 2


@pytest.mark.parametrize("label", ["../up", ".hidden", "a/b", " ", "c:d"])
def test_labels_stay_in_their_folder(tmp_path, label):
    done = CliRunner().invoke(cli, ["collect", "--label", label, "--data", str(tmp_path), "--camera", "none.mp4"])
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_missing_camera_stores_nothing(tmp_path):
    with pytest.raises(CameraError, match=r"none\.mp4"):
        CliRunner().invoke(
            cli,
            ["collect", "--label", "x", "--camera", "none.mp4", "--data", str(tmp_path / "d"), "--no-window"],
            catch_exceptions=False,
        )
    assert not (tmp_path / "d").exists()
