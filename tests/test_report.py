"""Reports: rows read back, what they say of people, and a page that holds all it shows."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from videos import make_video, numbered_frames

from live_emotion.cli.main import cli
from live_emotion.errors import InputError, LiveEmotionError
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import open_results_writer
from live_emotion.types import EMOTIONS, Frame, Prediction, TrackedFace
from live_emotion.visualization.report.people import overall_shares, people, row_lengths
from live_emotion.visualization.report.report import PAGE_FILE, PEOPLE_FILE, TIMELINE_FILE, thumbnail, write_report
from live_emotion.visualization.report.timeline import time_text

STEP_S = 0.1


def face(track_id, emotion, confidence=0.7, box=(100.0, 60.0, 160.0, 130.0), names=EMOTIONS):
    rest = (1 - confidence) / (len(names) - 1)
    probabilities = [confidence if name == emotion else rest for name in names]
    prediction = Prediction.from_probabilities(probabilities, names)
    return TrackedFace(box, 0.9, np.zeros((6, 2), np.float32), prediction, track_id)


def write_rows(path, names=EMOTIONS):
    """Person 1: 2 s happy, 2 s out of sight, 1 s sad. Person 2: neutral for the first second. Person 7: a glimpse."""
    image = np.zeros((4, 4, 3), np.uint8)
    happy, neutral, sad = names[1], names[2], names[3]
    with open_results_writer(path, names) as sink:
        for i in range(50):
            faces = []
            if i < 20 or i >= 40:
                faces.append(face(1, happy if i < 20 else sad, names=names))
            if i < 10:
                faces.append(face(2, neutral, names=names))
            if i == 45:
                faces.append(face(7, happy, names=names))
            sink.write(Frame(i, i * STEP_S, image), faces)
    return path


@pytest.fixture
def rows(tmp_path):
    return write_rows(tmp_path / "talk.csv")


class Page(HTMLParser):
    """The tags and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.attributes, self.texts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "img", "source", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_rows_come_back_as_they_were_written(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    table = read_table(write_rows(tmp_path / f"talk{suffix}"))
    assert table.class_names == EMOTIONS
    assert len(table) == 41
    assert list(np.unique(table.track_id)) == [1, 2, 7]
    one = table.of(1)
    np.testing.assert_allclose(one.time_s, [i * STEP_S for i in (*range(20), *range(40, 50))], atol=1e-6)
    assert [EMOTIONS[e] for e in one.emotion] == ["happy"] * 20 + ["sad"] * 10
    np.testing.assert_allclose(one.probabilities[0], [0.1, 0.7, 0.1, 0.1], atol=1e-4)
    np.testing.assert_allclose(one.boxes[0], [100, 60, 160, 130])


def test_people_are_told_how_long_they_were_seen_and_how_they_looked(rows):
    first, second, glimpse = people(read_table(rows))
    assert (first.track_id, second.track_id, glimpse.track_id) == (1, 2, 7)
    assert (first.first_s, first.last_s) == pytest.approx((0, 4.9))
    # the gap counts for one more step only: nobody knows when in it the face went
    assert first.seen_s == pytest.approx(3.0, abs=1.1 * STEP_S)
    np.testing.assert_allclose(first.shares, [0, 2 / 3, 0, 1 / 3], atol=0.03)
    np.testing.assert_allclose(second.shares, [0, 0, 1, 0])
    shares = overall_shares([first, second], EMOTIONS)
    np.testing.assert_allclose(shares, [0, 0.5, 0.25, 0.25], atol=0.03)
    assert overall_shares([], EMOTIONS).tolist() == [0, 0, 0, 0]


def test_what_notes_call_unclear_counts_for_no_emotion(tmp_path):
    noted = dataclasses.replace(face(1, "sad"), note="blurred")
    with open_results_writer(tmp_path / "talk.csv", EMOTIONS) as sink:
        for i in range(40):
            sink.write(Frame(i, i / 25, np.zeros((4, 4, 3), np.uint8)), [noted if i < 10 else face(1, "happy")])
    (person,) = people(read_table(tmp_path / "talk.csv"))
    np.testing.assert_allclose(person.shares, [0, 0.75, 0, 0], atol=1e-3)
    page = write_report(tmp_path / "talk.csv", tmp_path / "report", "talk")
    assert "unclear 25%" in " ".join(Page(page.read_text()).texts)
    with (tmp_path / "report" / PEOPLE_FILE).open(newline="") as file:
        assert float(next(csv.DictReader(file))["share_unclear"]) == pytest.approx(0.25, abs=1e-3)


def test_rows_stand_for_the_time_to_the_next_frame():
    np.testing.assert_allclose(row_lengths(np.array([0, 0.1, 0.1, 0.2, 5, 5.1])), [0.1, 0.1, 0.1, 0.2, 0.1, 0.1])
    assert row_lengths(np.array([3.0, 3.0])).tolist() == [0, 0]
    assert row_lengths(np.array([])).tolist() == []


def test_the_page_holds_all_it_shows(rows, tmp_path):
    page = write_report(rows, tmp_path / "report", "talk.mp4")
    assert page == tmp_path / "report" / PAGE_FILE
    assert sorted(p.name for p in page.parent.iterdir()) == sorted([PAGE_FILE, PEOPLE_FILE, TIMELINE_FILE])
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert parsed.open == []
    links = [value for _, name, value in parsed.attributes if name in ("src", "srcset", "href", "action", "data")]
    assert links and all(link.startswith("data:image/") for link in links)
    assert "url(" not in text and "@import" not in text and "<script" not in text
    assert not re.search(r"https?:", text)
    words = " ".join(parsed.texts)
    assert "talk.mp4" in words and "Person 1" in words and "Person 2" in words
    assert "Person 7" not in words and "1 other was seen" in words
    timeline = cv2.imread(str(tmp_path / "report" / TIMELINE_FILE))
    assert timeline.shape[1] > 1000
    # happy's yellow and sad's blue are in the timeline, over about their parts of it
    yellow = (np.abs(timeline.astype(int) - (66, 228, 240)).max(axis=2) < 8).mean()
    blue = (np.abs(timeline.astype(int) - (233, 180, 86)).max(axis=2) < 8).mean()
    assert yellow > blue > 0.01


def test_pandas_reads_the_table_of_people_in_a_line(rows, tmp_path):
    write_report(rows, tmp_path / "report", "talk.mp4")
    with (tmp_path / "report" / PEOPLE_FILE).open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["track_id"] for row in table] == ["1", "2", "7"]
    assert float(table[0]["share_happy"]) == pytest.approx(2 / 3, abs=0.03)
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(tmp_path / "report" / PEOPLE_FILE)
    assert frame.set_index("track_id").share_neutral[2] == 1.0


def test_names_cannot_break_the_page(tmp_path):
    names = ("a&b", "<script>alert(1)</script>", "$x_{2$", '"quoted"')
    rows = write_rows(tmp_path / "talk.jsonl", names)
    page = write_report(rows, tmp_path / "report", "<b>video</b> & \udcff.mp4")
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert "<script" not in text and "<b>video" not in text
    assert "<b>video</b> & ?.mp4" in parsed.texts
    assert any("<script>alert(1)</script>" in part for part in parsed.texts)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_video_without_a_face_has_a_page_that_says_so(tmp_path, suffix):
    open_results_writer(tmp_path / f"empty{suffix}", EMOTIONS).close()
    page = write_report(tmp_path / f"empty{suffix}", tmp_path / "report", "empty.mp4")
    assert "No face was found" in page.read_text()
    assert not (tmp_path / "report" / TIMELINE_FILE).exists()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_rows_are_enough(tmp_path, count):
    with open_results_writer(tmp_path / "few.csv", EMOTIONS) as sink:
        for i in range(count):
            sink.write(Frame(i, i / 25, np.zeros((4, 4, 3), np.uint8)), [face(1, "sad")])
    assert "Person 1" in write_report(tmp_path / "few.csv", tmp_path / "report", "few").read_text()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "no file"),
        ("other.csv", "a,b\n1,2\n", "no column time_s"),
        ("names.csv", "time_s,track_id,emotion\n", "no column p_<emotion>"),
        ("text.csv", "time_s,track_id,emotion,p_sad\nx,1,sad,1\n", "could not convert"),
        ("late.csv", "time_s,track_id,emotion,p_sad\n1e300,1,sad,1\n", "no time of a video"),
        ("nan.csv", "time_s,track_id,emotion,p_sad\nnan,1,sad,1\n", "no number"),
        ("short.csv", "time_s,track_id,emotion,p_sad\n1,1\n", "missing or not known"),
        ("unknown.csv", "time_s,track_id,emotion,p_sad\n1,1,glad,1\n", "'glad' is missing or not known"),
        ("twice.csv", "time_s,track_id,emotion,p_sad,p_sad\n1,1,sad,1,0\n", "two columns have one name"),
        ("box.csv", "time_s,track_id,emotion,p_sad,x1,y1,x2,y2\n1,1,sad,1,0,0,inf,9\n", "a box is no number"),
        ("large.csv", f"time_s,track_id,emotion,p_sad\n1,{10**30},sad,1\n", "does not hold rows"),
        ("large.jsonl", f'{{"time_s": {10**400}, "track_id": 1, "emotion": "sad", "p_sad": 1}}', "does not hold rows"),
        ("deep.jsonl", "[" * 100_000, "does not hold rows"),
        ("half.jsonl", '{"time_s": 1, "track_id": 1, "emotion": "\\udcff", "p_\\udcff": 1}', "surrogates not allowed"),
        ("broken.jsonl", '{"time_s": 1', "does not hold rows"),
        ("list.jsonl", "[1]\n", "does not hold rows"),
        ("binary.csv", b"\xff\xfe\x00\x01", "does not hold rows"),
        ("binary.parquet", b"PAR1 not really", "does not hold rows"),
        ("rows.txt", "x", "end its name in"),
    ],
)
def test_what_holds_no_rows_is_one_line(tmp_path, name, content, message):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LiveEmotionError, match=re.escape(message)) as caught:
        write_report(tmp_path / name, tmp_path / "report", "x")
    assert name in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "report").exists()


def test_thumbnails_show_the_face_where_it_looks_most_typical(portrait, tmp_path):
    images = numbered_frames(portrait, 20)
    for image in images[:12] + images[13:]:
        image[:-20] //= 4  # only frame 12 is bright
    video = make_video(tmp_path / "video.mp4", images, g="30")
    with open_results_writer(tmp_path / "video.csv", EMOTIONS) as sink:
        for i, image in enumerate(images):
            box = (100.0, 45.0, 160.0, 115.0)
            sink.write(Frame(i, i / 25, image), [face(1, "happy", 0.95 if i == 12 else 0.6, box)])
    (person,) = people(read_table(tmp_path / "video.csv"))
    shown = cv2.imdecode(np.frombuffer(thumbnail(video, person), np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (192, 192, 3)
    assert shown.mean() > 2 * images[11][:-20].mean()
    with pytest.raises(InputError):
        read_table(tmp_path / "none.csv")
    assert thumbnail(tmp_path / "none.mp4", person) is None


@pytest.mark.parametrize("box", [(900, 700, 960, 770), (-1e30, 0, 1e30, 50), (100, 45, 9100, 9045)])
def test_rows_of_another_video_have_no_thumbnails(portrait, tmp_path, box):
    video = make_video(tmp_path / "video.mp4", numbered_frames(portrait, 3))
    corners = dict(zip(("x1", "y1", "x2", "y2"), box))
    for time_s in (0.0, 1e6):
        row = {"time_s": time_s, "track_id": 1, "emotion": "sad", "p_sad": 0.75, "p_happy": 0.25, **corners}
        (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
        (person,) = people(read_table(tmp_path / "rows.jsonl"))
        assert thumbnail(video, person) is None


def test_rows_without_boxes_have_no_thumbnails(tmp_path):
    row = {"time_s": 0.5, "track_id": 1, "emotion": "sad", "p_sad": 0.75, "p_happy": 0.25}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (person,) = people(read_table(tmp_path / "rows.jsonl"))
    assert thumbnail(tmp_path / "none.mp4", person) is None
    assert write_report(tmp_path / "rows.jsonl", tmp_path / "out", "rows", tmp_path / "none.mp4").exists()


def test_the_command_and_video_with_a_report(portrait, tmp_path):
    video = make_video(tmp_path / "talk.mp4", numbered_frames(portrait, 15))
    run = CliRunner().invoke
    done = run(cli, ["video", str(video), "--device", "cpu", "--report", str(tmp_path / "rep")])
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in (tmp_path / "rep").iterdir()) == ["faces.csv", PEOPLE_FILE, PAGE_FILE, TIMELINE_FILE]
    text = (tmp_path / "rep" / PAGE_FILE).read_text()
    assert "talk.mp4" in text and "data:image/jpeg" in text
    again = ["report", str(tmp_path / "rep" / "faces.csv"), "-o", str(tmp_path / "rep2"), "--video", str(video)]
    assert run(cli, again).exit_code == 0
    assert (tmp_path / "rep2" / PAGE_FILE).read_text() == text
    assert "--force" in str(run(cli, again).exception)
    assert run(cli, [*again, "--force"]).exit_code == 0


def test_times_are_read_as_on_a_player():
    assert [time_text(t) for t in (0, 59.6, 61, 3723.5)] == ["0:00", "1:00", "1:01", "1:02:04"]
    assert [time_text(t, tenths=True) for t in (0, 2.44, 59.97, 3723.5)] == ["0:00.0", "0:02.4", "1:00.0", "1:02:03.5"]
