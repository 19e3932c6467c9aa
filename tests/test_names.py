"""Names of files that go from one system to another: what Windows and macOS refuse, drop or take for the same."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path, PureWindowsPath

import cv2
import pytest
from click.testing import CliRunner

from live_emotion.cli.main import cli
from live_emotion.emotions.profile import Profile, delete_profile, profile_names, profile_path
from live_emotion.errors import InputError, OutputError
from live_emotion.io.camera import is_camera, is_url
from live_emotion.io.files.names import (
    LONGEST_NAME,
    REFUSED,
    is_reserved,
    output_names,
    portable_name,
    refuse_clashes,
    same_name,
    unique_names,
)
from live_emotion.pipelines.live.recorder import timestamp
from live_emotion.pipelines.reports import plan_reports
from live_emotion.pipelines.videos.planning import plan
from live_emotion.types import EMOTIONS

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, **_: tmp_path / name)


def is_portable(name: str) -> bool:
    """Whether Windows makes a file of exactly this name."""
    return not (REFUSED.search(name) or is_reserved(name) or name[-1:] in (".", " ", ""))


@pytest.mark.parametrize("name", ["CON", "nul", "com1", "Lpt9", "aux ", "COM²", "CONOUT$"])
def test_what_windows_takes_for_a_device_is_no_name_of_ours(name):
    """Looked at on every system, since files go from one to another."""
    assert is_reserved(f"{name}.mp4") and not is_reserved(f"{name.strip()}sole.mp4")
    (written,) = output_names([Path(f"{name}.mp4")])
    assert not is_reserved(f"{written}.mp4")
    with pytest.raises(InputError, match="A profile's name"):
        profile_path(name)


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("holiday", "holiday"),
        ("a.b c", "a.b c"),
        (".hidden", ".hidden"),
        ("12:30", "12_30"),
        ('who? "me" <*|/\\>', "who_ _me_ ______"),
        ("line\nbreak\t\x00", "line_break__"),
        ("end. .", "end"),
        ("...", "_"),
        ("", "_"),
        ("NUL", "NUL_"),
        ("nul.txt", "nul_.txt"),
        ("con .", "con_"),
        ("x" * 300, "x" * LONGEST_NAME),
        ("é" * 130, "é" * 120),
        ("\U0001f600" * 61, "\U0001f600" * 60),
        ("x" * (LONGEST_NAME - 1) + ".y", "x" * (LONGEST_NAME - 1)),
    ],
)
def test_what_windows_refuses_or_drops_is_no_name_of_ours(name, portable):
    assert portable_name(name) == portable
    assert is_portable(portable)
    assert portable_name(portable) == portable


@pytest.mark.parametrize("name", ["\udcff\udcfe", "\ud800"])
def test_names_that_are_no_text_stay(name):
    assert portable_name(name) == name


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a/talk.mov", "b/walk.mp4"], ["talk", "walk"]),
        (["talk.mov", "talk.mp4"], ["talk_mov", "talk_mp4"]),
        (["a/talk.mp4", "b/talk.mp4", "c/talk_2.mp4"], ["talk", "talk_2", "talk_2_2"]),
        (["a/Talk.MP4", "b/talk.mp4"], ["Talk", "talk_2"]),  # one file on macOS and Windows
        (["photos/a.jpg", "photos/A.png"], ["a_jpg", "A_png"]),
        (["a.b.mp4", "a.b.mov", "c/a.b.mov"], ["a_b_mp4", "a_b_mov", "a_b_mov_2"]),
        (["a.jpg", "a.png", "a_jpg.gif"], ["a_jpg", "a_png", "a_jpg_2"]),
        ([f"a/{COMPOSED}.mp4", f"b/{DECOMPOSED}.mp4"], [COMPOSED, f"{DECOMPOSED}_2"]),  # one on macOS
        ([f"{COMPOSED}.mp4", f"{DECOMPOSED.upper()}.MOV"], [f"{COMPOSED}_mp4", f"{DECOMPOSED.upper()}_MOV"]),
        (["talk.mp4", "talk..mp4", "talk .mp4"], ["talk", "talk_2", "talk_3"]),  # one folder on Windows
        (["a/con.mp4", "b/CON.mp4"], ["con_", "CON__2"]),
        (["what?.mp4", "what*.mp4"], ["what_", "what__2"]),
    ],
)
def test_no_two_outputs_get_the_same_name(sources, names):
    assert output_names([Path(source) for source in sources]) == names
    assert len(set(map(same_name, names))) == len(names) and all(map(is_portable, names))


def test_long_names_stay_apart_and_have_room_for_their_ends():
    names = unique_names(["y" * 250 + end for end in "abcdefghijkl"])
    assert len(set(names)) == 12 and max(map(len, names)) == LONGEST_NAME
    assert len(names[-1] + "_annotated.png") <= 255


def test_many_of_one_name_take_no_longer_each():
    names = unique_names(["frame"] * 20_000)
    assert names[-1] == "frame_20000" and len(set(names)) == 20_000


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these refuse such names, or mind no case")
def test_photos_whose_names_clash_on_some_system_all_get_their_pictures(tmp_path, portrait):
    names = ("A.jpg", "a.jpg", "a.png", "a_png.jpg", "x" * 251 + ".jpg", "what?.jpg", "end..jpg")
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / name).write_bytes(cv2.imencode(Path(name).suffix, portrait)[1].tobytes())
    photos = [str(tmp_path / "in" / name) for name in names]
    done = CliRunner().invoke(cli, ["image", *photos, "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    written = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(set(map(same_name, written))) == len(names) + 1 and all(map(is_portable, written))


def test_what_is_read_is_not_written(tmp_path, portrait):
    for name in ("a.png", "a_annotated.png"):
        cv2.imwrite(str(tmp_path / name), portrait)
    before = (tmp_path / "a_annotated.png").read_bytes()
    photos = [str(tmp_path / name) for name in ("a.png", "a_annotated.png")]
    done = CliRunner().invoke(cli, ["image", *photos, "-o", str(tmp_path), "--force"])
    assert "a_annotated.png is a file that is read" in str(done.exception)
    assert (tmp_path / "a_annotated.png").read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows asks who may make links")
def test_a_file_that_is_read_is_told_by_what_it_is(tmp_path):
    """As where a file system minds no case, and talk.mp4 is Talk.mp4."""
    source = tmp_path / "talk.mp4"
    source.touch()
    for name, make in (("hard.mp4", os.link), ("soft.mp4", os.symlink)):
        make(source, tmp_path / name)
        with pytest.raises(OutputError, match=rf"{name} is a file that is read"):
            refuse_clashes([tmp_path / name], [source])
    refuse_clashes([tmp_path / "other.mp4"], [source])


@pytest.mark.parametrize("second", ["rows.csv", "./rows.csv", "Rows.CSV", "in/../rows.csv"])
def test_two_outputs_are_not_one_file(tmp_path, monkeypatch, second):
    monkeypatch.chdir(tmp_path)
    first = Path("rows.csv")
    if Path(second) == first:
        assert plan([Path("talk.mp4")], data=["rows.csv", second])[0].data == (first,)
    else:
        with pytest.raises(OutputError, match=r"rows\.csv and .* are one file, on some systems at least"):
            plan([Path("talk.mp4")], data=["rows.csv", second])


def test_rows_do_not_lie_where_the_report_has_its_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="are one file"):
        plan([Path("talk.mp4")], data=["page/people.csv"], report=Path("page/../page"))


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these refuse such names, or mind no case")
def test_reports_of_tables_that_differ_by_case_lie_apart(tmp_path):
    for name in ("Talk.csv", "talk.jsonl", "con.csv", f"{'x' * 250}.csv"):
        (tmp_path / name).touch()
    folders = [task.folder.name for task in plan_reports(tmp_path, tmp_path)]
    assert folders == ["Talk_report", "con__report", f"{'x' * LONGEST_NAME}_report", "talk_2_report"]
    assert all(map(is_portable, folders))


def test_reports_find_videos_however_their_accents_are_written(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / f"{COMPOSED}.csv").touch()
    (tmp_path / "videos" / f"{DECOMPOSED}.mp4").touch()
    (task,) = plan_reports(tmp_path, tmp_path, tmp_path / "videos")
    assert task.video is not None and same_name(task.video.stem) == same_name(COMPOSED)


def test_profiles_mind_neither_case_nor_how_accents_are_written(home):
    profile = Profile(EMOTIONS, (0.5, -0.25, 0, 1))
    path = profile.save(DECOMPOSED)
    assert profile_names() == [COMPOSED]
    for name in (COMPOSED, DECOMPOSED, COMPOSED.upper()):
        assert profile_path(name) == path and Profile.load(name) == profile
    delete_profile(COMPOSED.lower())
    assert profile_names() == []


def test_of_two_profiles_that_differ_by_case_each_is_found(home):
    """As earlier releases stored them where that can be."""
    path = Profile(EMOTIONS, (1.0, 0, 0, 0)).save("Anna")
    path.with_name("anna.json").write_text(path.read_text().replace("1.0", "2.0"))
    if len(list(path.parent.iterdir())) < 2:
        pytest.skip("this file system minds no case")
    assert [Profile.load(name).offsets[0] for name in ("Anna", "anna")] == [1.0, 2.0]


def test_names_made_of_times_hold_no_colon():
    assert is_portable(f"{timestamp()}.mp4")


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("rtsp://192.168.1.20/stream", True),
        ("HTTP://camera.local/video", True),
        (r"C:\videos\talk.mp4", False),
        ("C://videos/talk.mp4", False),
        (r"\\server\share\talk.mp4", False),
        ("//server/share/talk.mp4", False),
    ],
)
def test_a_drive_or_a_share_is_no_url(source, url):
    assert is_url(source) is url
    assert is_camera(source) is not url  # neither is there


@pytest.mark.parametrize("folder", ["C:\\results", "\\\\server\\share\\results", "C:"])
def test_names_for_files_join_to_drives_and_shares(folder):
    (name,) = output_names([PureWindowsPath("D:\\in\\talk.mp4")])
    assert (PureWindowsPath(folder) / f"{name}.mp4").name == "talk.mp4"
