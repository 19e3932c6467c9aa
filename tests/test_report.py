"""Reports: rows read back, what they say of people, and a page that holds all it shows."""

from __future__ import annotations

import base64
import csv
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from videos import make_video, numbered_frames

from live_emotion.cli.main import cli
from live_emotion.errors import InputError, LiveEmotionError
from live_emotion.io import results_reader
from live_emotion.io.results_reader import read_table
from live_emotion.io.results_writer import open_results_writer
from live_emotion.types import EMOTIONS, Frame, Prediction, TrackedFace
from live_emotion.visualization.report.course import course, runs, step_edges
from live_emotion.visualization.report.names import enrolled
from live_emotion.visualization.report.people import overall_shares, people, row_lengths
from live_emotion.visualization.report.player import player
from live_emotion.visualization.report.report import PAGE_FILE, PEOPLE_FILE, TIMELINE_FILE, write_report
from live_emotion.visualization.report.svg import axis
from live_emotion.visualization.report.thumbnail import moments, thumbnail
from live_emotion.visualization.times import duration_text, marks, time_text

STEP_S = 0.1


def face(track_id, emotion, confidence=0.7, box=(100.0, 60.0, 160.0, 130.0), names=EMOTIONS, note="", other=0.0):
    rest = (1 - confidence - other) / (len(names) - 1)
    probabilities = [confidence if name == emotion else rest for name in names]
    prediction = Prediction.from_probabilities(probabilities, names)
    return TrackedFace(box, 0.9, np.zeros((6, 2), np.float32), prediction, track_id, note)


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
        if tag not in ("meta", "img", "input", "source", "br"):
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
    one = table.take(np.flatnonzero(table.track_id == 1))
    np.testing.assert_allclose(one.time_s, [i * STEP_S for i in (*range(20), *range(40, 50))], atol=1e-6)
    assert [EMOTIONS[e] for e in one.emotion] == ["happy"] * 20 + ["sad"] * 10
    np.testing.assert_allclose(one.probabilities[0], [0.1, 0.7, 0.1, 0.1], atol=1e-4)
    np.testing.assert_allclose(one.boxes[0], [100, 60, 160, 130])


def test_people_are_told_how_long_they_were_seen_and_how_they_looked(rows):
    first, second, glimpse = people(read_table(rows))
    assert [person.track_ids for person in (first, second, glimpse)] == [(1,), (2,), (7,)]
    assert (first.first_s, first.last_s) == pytest.approx((0, 4.9))
    # the gap counts for one more step only: nobody knows when in it the face went
    assert first.seen_s == pytest.approx(3.0, abs=1.1 * STEP_S)
    np.testing.assert_allclose(first.shares, [0, 2 / 3, 0, 1 / 3, 0], atol=0.03)
    np.testing.assert_allclose(second.shares, [0, 0, 1, 0, 0])
    shares = overall_shares([first, second], EMOTIONS)
    np.testing.assert_allclose(shares, [0, 0.5, 0.25, 0.25, 0], atol=0.03)
    assert overall_shares([], EMOTIONS).tolist() == [0, 0, 0, 0, 0]


def test_shares_are_of_the_time_in_which_a_face_could_be_read(tmp_path):
    with open_results_writer(tmp_path / "talk.csv", EMOTIONS) as sink:
        for i in range(40):
            seen = face(1, "sad", note="blurred") if i < 20 else face(1, "happy")
            seen = seen if i < 35 else face(1, "sad", 0.2, note="other", other=0.6)
            sink.write(Frame(i, i / 25, np.zeros((4, 4, 3), np.uint8)), [seen])
    (person,) = people(read_table(tmp_path / "talk.csv"))
    np.testing.assert_allclose(person.shares, [0, 0.75, 0, 0, 0.25], atol=1e-3)
    assert (person.seen_s, person.readable_s) == pytest.approx((1.6, 0.8))
    page = write_report(read_table(tmp_path / "talk.csv"), tmp_path / "report", "talk")
    words = " ".join(" ".join(Page(page.read_text()).texts).split())
    assert "happy 75%" in words and "other 25%" in words and "in view for 1.6 s, unclear for 0.8 s" in words
    assert "Shares are of the time in which a face could be read" in words
    with (tmp_path / "report" / PEOPLE_FILE).open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (float(row["share_other"]), float(row["readable_s"])) == pytest.approx((0.25, 0.8), abs=1e-3)


def test_a_face_that_could_never_be_read_has_no_shares(tmp_path):
    with open_results_writer(tmp_path / "talk.csv", EMOTIONS) as sink:
        for i in range(40):
            sink.write(Frame(i, i / 25, np.zeros((4, 4, 3), np.uint8)), [face(1, "sad", note="too dark")])
    page = write_report(read_table(tmp_path / "talk.csv"), tmp_path / "report", "talk")
    assert "Could never be read" in page.read_text() and "Mostly" not in page.read_text()


def test_a_course_tells_read_unclear_and_out_of_view_apart(tmp_path):
    with open_results_writer(tmp_path / "talk.csv", EMOTIONS) as sink:
        for i in range(40):
            notes = {0: "", 1: "unsure" if i < 13 else "too small"}
            faces = [face(1, "happy", note=notes[i // 10])] if i // 10 in notes else []
            sink.write(Frame(i, i * STEP_S, np.zeros((4, 4, 3), np.uint8)), [*faces, face(2, "sad")])
    table = read_table(tmp_path / "talk.csv")
    (person,) = (person for person in people(table) if person.track_ids == (1,))
    drawn = course(person.rows, step_edges(table))
    assert drawn.notes == ("",) * 5 + ("unsure",) * 1 + ("too small",) * 4 + ("",) * 10
    assert runs(drawn.is_read) == [(0, 5)] and runs(drawn.is_unclear) == [(5, 10)]
    np.testing.assert_allclose(drawn.probabilities[0], [0.1, 0.7, 0.1, 0.1, 0], atol=1e-3)
    # the whole time in which faces were looked for is drawn
    assert step_edges(table, (0, 60))[-1] == 60


def test_enrolled_people_have_their_names(tmp_path):
    anna = {number: dataclasses.replace(face(number, "happy"), name="anna") for number in (1, 2, 3)}
    with open_results_writer(tmp_path / "talk.csv", EMOTIONS) as sink:
        for i in range(60):
            # she comes back with another number; a third face that looks like hers is there together with her
            faces = [anna[1]] if i < 20 else [anna[2]] if i >= 30 else []
            faces += [anna[3]] if 40 <= i < 55 else []
            faces += [face(4, "sad") if i else dataclasses.replace(face(4, "sad"), name="anna")]
            sink.write(Frame(i, i * STEP_S, np.zeros((4, 4, 3), np.uint8)), faces)
    table = read_table(tmp_path / "talk.csv")
    found = {person.name: person.track_ids for person in people(table)}
    assert found == {"anna": (1, 2), "anna (3)": (3,), "Person 4": (4,)}
    assert {p.name: p.track_ids for p in people(table, {4: "anna", 1: "Eve"})} == {
        "anna": (2, 4), "anna (3)": (3,), "Eve": (1,),
    }  # fmt: skip


def test_the_picture_for_documents_hatches_what_was_not_read(tmp_path):
    with open_results_writer(tmp_path / "talk.csv", EMOTIONS) as sink:
        for i in range(60):
            seen = [
                face(1, "happy", 0.97),
                face(1, "happy", note="blurred"),
                face(1, "sad", 0.1, note="other", other=0.8),
            ]
            sink.write(Frame(i, i * STEP_S, np.zeros((4, 4, 3), np.uint8)), [seen[i // 20]])
    write_report(read_table(tmp_path / "talk.csv"), tmp_path, "talk")
    picture = cv2.imread(str(tmp_path / TIMELINE_FILE)).astype(int)
    is_happy = np.abs(picture - (66, 228, 240)).max(axis=2) < 8
    # not the legend, nor the little that is happy of the other
    is_happy &= (is_happy.sum(axis=1, keepdims=True) > 200) & (is_happy.sum(axis=0, keepdims=True) > 80)
    (top, left), (bottom, right) = np.argwhere(is_happy).min(axis=0), np.argwhere(is_happy).max(axis=0)
    inside, third = picture[top + 5 : (top + bottom) // 2], right - left
    unclear, other = (inside[:, right + 5 + i * third : right - 5 + (i + 1) * third] for i in (0, 1))
    for pixels in (unclear, other):
        assert np.ptp(pixels, axis=2).max() < 20 and pixels.std() > 10  # grey, with a pattern
    assert (np.median(other), np.median(unclear) < 245) == (255, True)


def test_rows_of_earlier_versions_are_read(tmp_path):
    plain = "frame,time_s,track_id,emotion,p_happy,p_sad\n0,0,1,happy,.8,.2\n1,.1,1,happy,.8,.2\n"
    (tmp_path / "old.csv").write_text(plain)
    assert not read_table(tmp_path / "old.csv").is_unclear.any()
    assert "100%" in write_report(read_table(tmp_path / "old.csv"), tmp_path / "report", "old").read_text()
    (tmp_path / "other.csv").write_text(
        "time_s,track_id,emotion,other,p_happy,p_sad\n0,1,happy,.6,.3,.1\n1,1,sad,.1,.3,.6\n"
    )
    assert read_table(tmp_path / "other.csv").is_other.tolist() == [True, False]


def test_rows_stand_for_the_time_to_the_next_frame():
    np.testing.assert_allclose(row_lengths(np.array([0, 0.1, 0.1, 0.2, 5, 5.1])), [0.1, 0.1, 0.1, 0.2, 0.1, 0.1])
    assert row_lengths(np.array([3.0, 3.0])).tolist() == [0, 0]
    assert row_lengths(np.array([])).tolist() == []


def test_the_page_holds_all_it_shows(rows, tmp_path):
    page = write_report(read_table(rows), tmp_path / "report", "talk.mp4")
    assert page == tmp_path / "report" / PAGE_FILE
    assert sorted(p.name for p in page.parent.iterdir()) == sorted([PAGE_FILE, PEOPLE_FILE, TIMELINE_FILE])
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert parsed.open == []
    assert not [value for _, name, value in parsed.attributes if name in ("src", "srcset", "href", "action", "data")]
    assert not re.search(r"url\((?!#)|https?:|@import", text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (value for _, name, value in parsed.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy and f"script-src 'sha256-{allowed}'" in policy and "media-src" not in policy
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
    write_report(read_table(rows), tmp_path / "report", "talk.mp4")
    with (tmp_path / "report" / PEOPLE_FILE).open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["track_id"] for row in table] == ["1", "2", "7"]
    assert float(table[0]["share_happy"]) == pytest.approx(2 / 3, abs=0.03)
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(tmp_path / "report" / PEOPLE_FILE)
    assert frame.set_index("track_id").share_neutral[2] == 1.0


@pytest.mark.parametrize("name", ["=cmd|calc!A1", "+1", "-Anna", "@you", "\tx", "'=1", "'Anna'", "Anna", "'"])
def test_names_are_no_formulas_in_spreadsheets_and_stay_the_same(tmp_path, name):
    with open_results_writer(tmp_path / "rows.csv", EMOTIONS) as sink:
        for i, number in enumerate((1, 2)):
            sink.write(
                Frame(i, i * STEP_S, np.zeros((4, 4, 3), np.uint8)),
                [dataclasses.replace(face(number, "sad"), name=name)],
            )
        sink.renumber({2: 1})  # reads what is there
    table = read_table(tmp_path / "rows.csv")
    assert set(table.name) == {name}
    write_report(table, tmp_path / "report", "talk.mp4")
    for path in (tmp_path / "rows.csv", tmp_path / "report" / PEOPLE_FILE):
        with path.open(newline="") as file:
            (cell, *_) = {row["name"] for row in csv.DictReader(file)}
        assert cell[0] not in "=+-@\t\r" and cell.removeprefix("'") in (name, name.removeprefix("'"))
    assert enrolled(table) == {1: name}


def test_names_cannot_break_the_page(tmp_path):
    names = ("a&b", "<script>alert(1)</script>", "$x_{2$", '"quoted"')
    rows = write_rows(tmp_path / "talk.jsonl", names)
    called = {1: "<img src=x onerror=alert(1)>", 2: "'$x_{2$\""}
    page = write_report(read_table(rows), tmp_path / "report", "<b>video</b> & \udcff.mp4", names=called)
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert text.count("<script") == 1 and "<b>video" not in text and "<img src=x" not in text
    assert "<b>video</b> & ?.mp4" in parsed.texts
    assert any("<script>alert(1)</script>" in part for part in parsed.texts)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_video_without_a_face_has_a_page_that_says_so(tmp_path, suffix):
    open_results_writer(tmp_path / f"empty{suffix}", EMOTIONS).close()
    page = write_report(read_table(tmp_path / f"empty{suffix}"), tmp_path / "report", "empty.mp4")
    assert "No face was found" in page.read_text()
    assert not (tmp_path / "report" / TIMELINE_FILE).exists()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_rows_are_enough(tmp_path, count):
    with open_results_writer(tmp_path / "few.csv", EMOTIONS) as sink:
        for i in range(count):
            sink.write(Frame(i, i / 25, np.zeros((4, 4, 3), np.uint8)), [face(1, "sad")])
    assert "Person 1" in write_report(read_table(tmp_path / "few.csv"), tmp_path / "report", "few").read_text()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "no file"),
        ("other.csv", "a,b\n1,2\n", "no column time_s"),
        ("names.csv", "time_s,track_id,emotion\n", "no column p_<emotion>"),
        ("text.csv", "time_s,track_id,emotion,p_sad\nx,1,sad,1\n", "row 2, time_s: 'x' is no number"),
        ("late.csv", "time_s,track_id,emotion,p_sad\n1e300,1,sad,1\n", "no time of a video"),
        ("apart.csv", "time_s,track_id,emotion,p_sad\n0,1,sad,1\n4e7,1,sad,1\n", "more than a year apart"),
        ("nan.csv", "time_s,track_id,emotion,p_sad\n0,1,sad,1\n1,1,sad,nan\n", "row 3, p_sad: 'nan' is no number"),
        ("short.csv", "time_s,track_id,emotion,p_sad\n1,1\n", "row 2, emotion: it is missing"),
        ("unknown.csv", "time_s,track_id,emotion,p_sad\n1,1,glad,1\n", "row 2, emotion: 'glad' is none of sad"),
        ("twice.csv", "time_s,track_id,emotion,p_sad,p_sad\n1,1,sad,1,0\n", "two columns have one name"),
        (
            "box.csv",
            "time_s,track_id,emotion,p_sad,x1,y1,x2,y2\n1,1,sad,1,0,0,inf,9\n",
            "x2: 'inf' is no number",
        ),
        ("large.csv", f"time_s,track_id,emotion,p_sad\n1,{10**30},sad,1\n", "is too large"),
        ("comma.csv", 'time_s,track_id,emotion,p_sad\n1,1,sad,"0,1"\n', "row 2, p_sad: '0,1' is no number"),
        (
            "whole.csv",
            "sep=,\ntime_s,track_id,emotion,p_sad\n1,Infinity,sad,1\n",
            "row 3, track_id: 'Infinity' is",
        ),
        ("more.csv", "time_s,track_id,emotion,p_sad\n1,1,sad,1,1\n", "row 2 has more values than there are columns"),
        ("much.csv", "time_s,track_id,emotion,p_sad\n1,1,sad,2\n", "row 2, p_sad: '2' is not between 0 and 1"),
        ("cut.csv", "time_s,track_id,emotion,p_sad\n1,1\n1,1,sad,1", "row 2, emotion: it is missing"),
        ("half.csv", "time_s,track_id,emotion,p_sad\n1,1.5,sad,1", "row 2, track_id: '1.5' is no whole number"),
        ("emotions.jsonl", '{"time_s": 1, "track_id": 1, "emotion": ["sad"], "p_sad": 1}', "['sad'] is none of sad"),
        ("large.jsonl", f'{{"time_s": {10**400}, "track_id": 1, "emotion": "sad", "p_sad": 1}}', "is no number"),
        ("deep.jsonl", "[" * 100_000, "row 1 is no JSON"),
        (
            "half.jsonl",
            '{"time_s": 1, "track_id": 1, "emotion": "\\udcff", "p_\\udcff": 1}',
            "a column is no text",
        ),
        ("broken.jsonl", '{"time_s": 1', "row 1 is no JSON"),
        ("list.jsonl", "[1]\n", "row 1 is no object of JSON"),
        ("empty.csv", "", "it is empty"),
        ("binary.csv", b"\xff\xff\x00\x01", "it is no text in UTF-8"),
        ("binary.parquet", b"PAR1 not really", "it is no Parquet file"),
        ("rows.txt", "x", "end its name in"),
    ],
)
def test_what_holds_no_rows_is_one_line(tmp_path, name, content, message):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LiveEmotionError, match=re.escape(message)) as caught:
        write_report(read_table(tmp_path / name), tmp_path / "report", "x")
    assert name in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "report").exists()


def parquet_bombs():
    """Small files that unpack to much, by what is said of each."""
    pyarrow = pytest.importorskip("pyarrow")

    def rows(count, **more):
        zeros = pyarrow.array(np.zeros(count, np.int8))
        sad = pyarrow.DictionaryArray.from_arrays(zeros, ["sad"])
        return {"time_s": zeros, "track_id": zeros, "emotion": sad, "p_sad": zeros} | more

    def same(count, text):
        return pyarrow.DictionaryArray.from_arrays(np.zeros(count, np.int32), [text])

    yield "more than 5,000,000 rows", rows(5_000_001)
    yield "name: a text has more than 10,000 bytes", rows(9000, name=same(9000, "x" * 10**6))
    yield "its column note holds neither numbers nor texts", rows(2, note=pyarrow.array([[0] * 10**6] * 2))
    yield "its column p_sad unpacks to more than", rows(1, p_sad=pyarrow.array(["9" * 10**7]))


def test_a_small_parquet_file_that_unpacks_to_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(results_reader, "MOST_UNPACKED", 9_000_000)
    bombs = list(parquet_bombs())
    from pyarrow import Table, parquet

    for message, columns in bombs:
        parquet.write_table(Table.from_pydict(columns), tmp_path / "a.parquet", compression="zstd")
        with pytest.raises(InputError, match=message):
            read_table(tmp_path / "a.parquet")
        assert (tmp_path / "a.parquet").stat().st_size < 2_000_000


@pytest.mark.parametrize(
    ("name", "begin", "row"),
    [
        ("a.csv", "time_s,track_id,emotion,name,p_happy,p_sad\n", '{},1,sad,"Ann, or Eve",0.25,0.75\n'),
        (
            "a.jsonl",
            "",
            '{{"time_s": {}, "track_id": 1, "emotion": "sad", "name": "é", "p_happy": 0, "p_sad": 1}}\n',
        ),
    ],
)
def test_a_last_row_that_is_cut_off_is_left_out(tmp_path, name, begin, row):
    whole, last, path = begin + row.format(0) + row.format(1), row.format(2)[:-1], tmp_path / name
    for end in range(1, len(last)):
        notices = []
        path.write_text(whole + last[:end], encoding="utf-8")
        count = len(read_table(path, notices.append))
        is_row = name == "a.csv" and end > last.index(".75") - 1  # a number that is cut off is one, too
        assert count == (3 if is_row else 2)
        number = whole.count("\n") + 1
        assert notices == ([] if is_row else [f"{path}: row {number} is cut off; it is left out."])
    path.write_text(whole + last, encoding="utf-8")
    assert len(read_table(path)) == 3  # an end of the line is not needed
    path.write_text(whole + last[:8] + "\n" + row.format(3), encoding="utf-8")
    with pytest.raises(InputError, match=rf"row {whole.count(chr(10)) + 1}\b"):
        read_table(path)


@pytest.mark.parametrize(("delimiter", "point"), [(";", ","), (",", "."), ("\t", ","), ("|", ",")])
def test_the_line_in_which_excel_is_told_the_delimiter_is_one(tmp_path, delimiter, point):
    names, values = (
        ("time_s", "track_id", "emotion", "p_happy", "p_sad"),
        (f"0{point}5", "1", "sad", f"0{point}25", "0"),
    )
    lines = [f"sep={delimiter}", delimiter.join(names), delimiter.join(values)]
    (tmp_path / "a.csv").write_text("\r\n".join([*lines, ""]), encoding="utf-8-sig", newline="")
    table = read_table(tmp_path / "a.csv")
    assert (table.time_s.tolist(), table.probabilities.tolist()) == ([0.5], [[0.25, 0]])


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
    assert write_report(read_table(tmp_path / "rows.jsonl"), tmp_path / "out", "rows", tmp_path / "none.mp4").exists()


def test_the_command_and_video_with_a_report(portrait, tmp_path):
    video = make_video(tmp_path / "talk.mp4", numbered_frames(portrait, 15))
    run = CliRunner().invoke
    done = run(cli, ["video", str(video), "--device", "cpu", "--report", str(tmp_path / "rep")])
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in (tmp_path / "rep").iterdir()) == ["faces.csv", PEOPLE_FILE, PAGE_FILE, TIMELINE_FILE]
    text = (tmp_path / "rep" / PAGE_FILE).read_text()
    assert "talk.mp4" in text and "data:image/jpeg" in text and 'src="./../talk.mp4"' in text
    again = ["report", str(tmp_path / "rep" / "faces.csv"), "-o", str(tmp_path / "rep2"), "--video", str(video)]
    assert run(cli, [*again, "--why"]).exit_code == 0
    assert (tmp_path / "rep2" / PAGE_FILE).read_text() == text
    assert "--force" in str(run(cli, again).exception)
    assert run(cli, [*again, "--force"]).exit_code == 0


def test_a_report_that_the_disk_has_no_room_for_leaves_nothing(rows, tmp_path, full_disk):
    command = ["report", str(rows), "-o", str(tmp_path / "out" / "rep")]
    with full_disk(20_000):  # the table fits, the picture and the page do not
        done = CliRunner().invoke(cli, command)
    assert "Cannot write" in str(done.exception) and not (tmp_path / "out").exists()
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    before = {path.name: path.read_bytes() for path in (tmp_path / "out" / "rep").iterdir()}
    assert len(before) == 3 and min(map(len, before.values())) < 20_000 < max(map(len, before.values()))
    with full_disk(20_000):
        done = CliRunner().invoke(cli, [*command, "--names", "1=Anna", "--force"])
    assert "Cannot write" in str(done.exception)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "rep").iterdir()} == before


def test_times_are_read_as_on_a_player():
    assert [time_text(t) for t in (0, 59.6, 61, 3723.5)] == ["0:00", "1:00", "1:01", "1:02:04"]
    assert [time_text(t, tenths=True) for t in (0, 2.44, 59.97, 3723.5)] == ["0:00.0", "0:02.4", "1:00.0", "1:02:03.5"]


EPOCH_S = 1760000000.0
"""2025-10-09 08:53:20 UTC."""


def test_times_of_the_world_have_their_date_and_zone_once(tmp_path):
    with open_results_writer(tmp_path / "talk.csv", EMOTIONS) as sink:
        for i in range(320):
            sink.write(Frame(i, EPOCH_S + i * STEP_S, np.zeros((4, 4, 3), np.uint8)), [face(1, "happy")])
    text = " ".join(Page(write_report(read_table(tmp_path / "talk.csv"), tmp_path / "out", "talk").read_text()).texts)
    assert "1 person, from 08:53:20 to 08:53:52; faces in 320 frames;  2025-10-09, UTC" in text
    assert text.count("2025-10-09") == text.count("UTC") == 1
    assert "08:53:30" in text.split("Over time")[1].split("Everyone together")[0]


def test_an_axis_of_the_world_is_as_fine_as_its_marks():
    def texts(seconds, most=4):
        return [mark.text for mark in axis(EPOCH_S, EPOCH_S + seconds, most)]

    assert texts(1) == ["08:53:20.0", "08:53:20.5", "08:53:21.0"]
    assert texts(8) == ["08:53:20", "08:53:22", "08:53:24", "08:53:26"]
    assert texts(3600) == ["09:00", "09:15", "09:30", "09:45"]
    assert texts(4 * 86400) == ["10-10 00:00", "10-11 00:00", "10-12 00:00", "10-13 00:00"]


def test_a_name_of_any_length_leaves_room(tmp_path):
    name = "".join(f"{i:04}" for i in range(750))
    rows = write_rows(tmp_path / "talk.csv")
    page = write_report(read_table(rows), tmp_path / "out", "talk", names={1: name, 2: "Ben"})
    parsed = Page(page.read_text())
    assert not [text for text in parsed.texts if name[:100] in text]
    assert f"{name[:99]}…" in parsed.texts and "Ben" in parsed.texts
    assert {value for tag, key, value in parsed.attributes if (tag, key) == ("h3", "title")} == {name}
    assert not [value for _, key, value in parsed.attributes if key == "aria-label" and name[:100] in value]
    with (tmp_path / "out" / PEOPLE_FILE).open() as file:
        assert name in file.read()


def test_durations_are_written_as_people_write_them():
    assert [duration_text(t) for t in (0, 0.44, 12.42, 59.97, 65, 3723.5)] == [
        "0.0 s", "0.4 s", "12.4 s", "1:00", "1:05", "1:02:04",
    ]  # fmt: skip


@pytest.mark.parametrize(("first", "last"), [(0, 0.7), (0, 15), (3.2, 64), (-5, 5000), (0, 1e6), (-1e10, 1e10)])
@pytest.mark.parametrize("most", [4, 9])
def test_an_axis_has_a_few_round_times(first, last, most):
    times, step = marks(first, last, most)
    assert 1 <= len(times) <= most + 1 and all(first - 1e-6 <= time_s <= last + 1e-6 for time_s in times)
    np.testing.assert_allclose(np.diff(times), step)


def test_people_are_named_and_merged(tmp_path):
    rows = write_rows(tmp_path / "talk.csv")
    ben, ann = people(read_table(rows), {1: "Ben", 7: "Ben", 2: "Ann"})
    assert (ben.name, ben.track_ids, ann.name) == ("Ben", (1, 7), "Ann")
    (alone,) = (person for person in people(read_table(rows)) if person.track_ids == (1,))
    # person 7 was only seen together with person 1: a frame counts once
    assert (ben.seen_s, len(ben.rows)) == pytest.approx((alone.seen_s, 30))
    done = CliRunner().invoke(
        cli, ["report", str(rows), "-o", str(tmp_path / "out"), "--names", "1 + 7=Ben O'Hara, 2=Ann"]
    )
    assert done.exit_code == 0, done.output
    words = " ".join(Page((tmp_path / "out" / PAGE_FILE).read_text()).texts)
    assert "Ben O'Hara" in words and "Ann" in words and "Person" not in words
    with (tmp_path / "out" / PEOPLE_FILE).open(newline="") as file:
        assert [(row["track_id"], row["name"]) for row in csv.DictReader(file)] == [("1+7", "Ben O'Hara"), ("2", "Ann")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' names nobody; write it as 1=Anna,2+13+24=Ben."),
        ("Anna", "'Anna' names nobody"),
        ("1=", "'1=' names nobody"),
        ("1+=Anna", "'1+=Anna' names nobody"),
        ("one=Anna", "'one=Anna' names nobody"),
        ("1=Anna,", "'' names nobody"),
        ("1=Anna,2+1=Ben", "person 1 is named twice."),
        ("1=Anna,5=Ben", "There is no person 5 in the rows; there are: 1, 2, 7."),
    ],
)
def test_names_that_name_nobody_are_one_line(rows, tmp_path, text, message):
    done = CliRunner().invoke(cli, ["report", str(rows), "-o", str(tmp_path / "out"), "--names", text])
    line = str(done.exception) if isinstance(done.exception, LiveEmotionError) else done.output.splitlines()[-1]
    assert message in line and "\n" not in line
    assert not (tmp_path / "out").exists()


def test_a_video_that_ends_before_the_rows_is_refused(portrait, tmp_path):
    rows = write_rows(tmp_path / "talk.csv")
    short = make_video(tmp_path / "short.mp4", numbered_frames(portrait, 50))
    command = ["report", str(rows), "-o", str(tmp_path / "out"), "--video"]
    done = CliRunner().invoke(cli, [*command, str(short)])
    assert isinstance(done.exception, InputError)
    assert "The rows go on to 0:05, but" in str(done.exception) and "ends at 0:02" in str(done.exception)
    assert not (tmp_path / "out").exists()
    fitting = make_video(tmp_path / "fitting.mp4", numbered_frames(portrait, 125))
    assert CliRunner().invoke(cli, [*command, str(fitting)]).exit_code == 0


def test_a_video_is_played_where_it_lies_beside_the_page(portrait, tmp_path):
    folder = tmp_path / "reports" / "talk"
    for name in ("in #1.mp4", "old.avi"):
        (tmp_path / name).touch()
    beside = player(tmp_path / "in #1.mp4", folder, 2.0)
    assert (beside.source, beside.start_s) == ("./../../in%20%231.mp4", 2.0)
    assert player(tmp_path / "none.mp4", folder) is None and player(tmp_path / "old.avi", folder) is None
    assert player(tmp_path / "in #1.mp4", folder / "deeper") is None


def test_the_annotated_part_of_a_video_is_played_from_its_start(portrait, tmp_path):
    video = make_video(tmp_path / "talk.mp4", numbered_frames(portrait, 30))
    command = [
        "video",
        str(video),
        "-o",
        str(tmp_path / "part.mp4"),
        "--clip",
        "0.4-1",
        "--report",
        str(tmp_path / "rep"),
    ]
    done = CliRunner().invoke(cli, [*command, "--device", "cpu"])
    assert done.exit_code == 0, done.output
    parsed = Page((tmp_path / "rep" / PAGE_FILE).read_text())
    values = {name: value for tag, name, value in parsed.attributes if tag in ("div", "video")}
    assert (values["src"], values["data-start"], values["data-first"]) == ("./../part.mp4", "0.4", "0.4")


def test_the_rows_of_a_part_fit_the_part_that_was_cut_out(portrait, tmp_path):
    video = make_video(tmp_path / "talk.mp4", numbered_frames(portrait, 70))
    part = tmp_path / "part.mp4"
    command = ["video", str(video), "-o", str(part), "--clip", "2-", "--data", "csv", "--device", "cpu"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    report = ["report", str(tmp_path / "part.csv"), "--video"]
    done = CliRunner().invoke(cli, [*report, str(part), "-o", str(tmp_path / "rep")])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "rep" / PAGE_FILE).read_text()
    values = {name: value for tag, name, value in Page(text).attributes if tag in ("div", "video")}
    assert (values["src"], values["data-start"], values["data-first"]) == ("./../part.mp4", "2.0", "2.0")
    assert "data:image/jpeg" in text
    done = CliRunner().invoke(cli, [*report, str(video), "-o", str(tmp_path / "whole")])
    assert done.exit_code == 0, done.output
    assert 'data-start="0.0"' in (tmp_path / "whole" / PAGE_FILE).read_text()
    # rows that were read from the part itself have its times
    command = ["video", str(part), "--data", str(tmp_path / "own.csv"), "--every", "5", "--device", "cpu"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    done = CliRunner().invoke(
        cli, ["report", str(tmp_path / "own.csv"), "--video", str(part), "-o", str(tmp_path / "own")]
    )
    assert done.exit_code == 0, done.output
    assert 'data-start="0.0"' in (tmp_path / "own" / PAGE_FILE).read_text()
    late = write_rows(tmp_path / "late.csv")
    done = CliRunner().invoke(cli, ["report", str(late), "--video", str(part), "-o", str(tmp_path / "late")])
    assert "The rows go on to 0:05, but" in str(done.exception) and "ends at 0:01" in str(done.exception)


def test_each_emotion_has_its_most_typical_frame_and_why(portrait, tmp_path):
    """Of the frames that showed it, the one where it was likeliest; nobody is asked about others."""
    images, box = numbered_frames(portrait, 6), (100.0, 45.0, 160.0, 115.0)
    video = make_video(tmp_path / "video.mp4", images)
    with open_results_writer(tmp_path / "video.csv", EMOTIONS) as sink:
        for i, image in enumerate(images):
            sure = 0.9 if i in (1, 4) else 0.6
            sink.write(Frame(i, i / 25, image), [face(1, "sad" if i < 3 else "happy", sure, box)])
    asked = []

    def explain(image, where, emotion, name):
        asked.append((image.shape, where, emotion, name))
        return f"mostly <the> {emotion}"

    table = read_table(tmp_path / "video.csv")
    (person,) = people(table)
    found = [(moment.emotion, moment.time_s) for moment in moments(video, person, explain=explain)]
    assert found == [("happy", pytest.approx(4 / 25)), ("sad", pytest.approx(1 / 25))]
    assert asked == [(images[0].shape, box, "happy", ""), (images[0].shape, box, "sad", "")]
    page = write_report(table, tmp_path / "report", "video", video, explain=explain).read_text()
    assert page.count("mostly &lt;the&gt; happy") == page.count("mostly &lt;the&gt; sad") == 1
    assert 'class="moments"' not in write_report(table, tmp_path / "report", "video").read_text()


def test_report_says_why_where_the_weights_know_the_emotions(portrait, tmp_path):
    images = numbered_frames(portrait, 6)
    video = make_video(tmp_path / "video.mp4", images)
    for name, names in (("four", EMOTIONS), ("others", ("awake", "asleep", "bored"))):
        with open_results_writer(tmp_path / f"{name}.csv", names) as sink:
            for i, image in enumerate(images):
                found = face(1, names[2], 0.8, (100.0, 45.0, 160.0, 115.0), names)
                sink.write(Frame(i, i / 25, image), [found])
    arguments = ["--video", str(video), "--why", "-o", str(tmp_path / "report")]
    done = CliRunner().invoke(cli, ["report", str(tmp_path / "four.csv"), *arguments])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "report" / PAGE_FILE).read_text()
    assert re.search("<b>neutral</b> at.*<span class=.soft.>.*neutral", page, re.DOTALL)
    other = CliRunner().invoke(cli, ["report", str(tmp_path / "others.csv"), *arguments, "--force"])
    assert "The weights do not know bored; give those that the rows were read by" in str(other.exception)
    alone = CliRunner().invoke(cli, ["report", str(tmp_path / "four.csv"), "--why"])
    assert alone.exit_code == 2 and "needs --video" in alone.output


SPREADSHEETS = {
    "semicolons": lambda text: text.replace(",", ";").replace(".", ",").encode(),
    "tabs": lambda text: text.replace(",", "\t").encode("utf-16"),
    "a mark": lambda text: text.encode("utf-8-sig"),
}


@pytest.mark.parametrize("save", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_rows_that_a_spreadsheet_saved_are_read(tmp_path, save):
    text = "time_s,track_id,emotion,p_sad,p_happy\n0.5,1,sad,0.75,0.25\n1.5,1,happy,0.25,0.75\n"
    (tmp_path / "rows.csv").write_bytes(save(text))
    table = read_table(tmp_path / "rows.csv")
    assert table.time_s.tolist() == [0.5, 1.5] and table.probabilities[0].tolist() == [0.75, 0.25]


isin = np.isin

VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {"time_s": st.one_of(st.floats(0, 9), VALUES), "track_id": st.one_of(st.integers(0, 9), VALUES)}
            | {"emotion": st.one_of(st.just("sad"), VALUES), "p_sad": st.one_of(st.floats(0, 1), VALUES)}
        ),
        max_size=4,
    )
)
def test_whatever_rows_hold_they_are_read_or_refused_in_one_line(tmp_path, rows):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    try:
        table = read_table(path)
    except LiveEmotionError as error:
        assert "\n" not in str(error)
        return
    assert np.isfinite(table.time_s).all() and np.isfinite(table.probabilities).all()


@pytest.mark.parametrize("probability", ["1e38", "-2", "1.5"])
def test_probabilities_that_are_none_are_one_line(tmp_path, probability):
    (tmp_path / "rows.csv").write_text(f"time_s,track_id,emotion,p_sad\n1,1,sad,{probability}\n")
    with pytest.raises(InputError, match="between 0 and 1"):
        read_table(tmp_path / "rows.csv")


def test_the_work_for_a_report_grows_with_the_rows_and_not_with_their_square(tmp_path, monkeypatch):
    looked_at = []
    monkeypatch.setattr(np, "isin", lambda *given: looked_at.append(len(given[0])) or isin(*given))
    (tmp_path / "rows.csv").write_text(
        "time_s,track_id,name,emotion,p_sad\n" + "".join(f"{i},{i},Ann{i},sad,1\n" for i in range(200))
    )
    everyone = people(read_table(tmp_path / "rows.csv"))
    assert [person.track_ids for person in everyone] == [(i,) for i in range(200)]
    assert sum(looked_at) <= 200
