"""Pictures with more faces than are read: which are kept, and what is said, on crowds made of the real portrait."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from live_emotion.cli.main import cli
from live_emotion.io.live_source import LiveSource
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.crowd import crowd_notice
from live_emotion.pipelines.live.controls import Settings
from live_emotion.pipelines.live.loop import LiveLoop
from live_emotion.pipelines.live.recorder import Recorder
from live_emotion.types import Frame, LiveFrame
from tests.videos import make_video

HEIGHTS = (200, 220, 240, 260, 280, 300)
"""Of the people in the crowd, in pixels, from left to right."""


def people(portrait, heights, size=(1320, 340)):
    """The portrait beside itself at these heights in pixels: (H, W, 3) uint8 BGR."""
    picture = np.full((size[1], size[0], 3), 110, np.uint8)
    left = 0
    for height in heights:
        person = cv2.resize(portrait, (round(height * 512 / 600), height), interpolation=cv2.INTER_AREA)
        picture[20 : 20 + height, left : left + person.shape[1]] = person
        left += person.shape[1]
    return picture


@pytest.fixture(scope="module")
def crowd(portrait):
    return people(portrait, HEIGHTS)


def test_the_largest_faces_are_read_and_all_are_counted(crowd):
    with EmotionAnalyzer(AnalysisConfig(device="cpu", max_faces=3)) as analyzer:
        result = analyzer.analyze(Frame(0, 0.0, crowd))
    assert result.found == len(HEIGHTS)
    sides = [x2 - x1 for x1, _, x2, _ in (face.box for face in result.faces)]
    assert sides == sorted(sides, reverse=True)
    assert min(face.box[0] for face in result.faces) > sum(HEIGHTS[:3]) * 512 / 600, "the three on the right"
    assert crowd_notice(result, "full") == "3 of 6 faces read; --max-faces 6 reads all"


def test_nothing_is_said_where_all_are_read(crowd, portrait):
    with EmotionAnalyzer(AnalysisConfig(device="cpu")) as analyzer:
        for picture, count in ((crowd, len(HEIGHTS)), (portrait, 1)):
            result = analyzer.analyze(Frame(0, 0.0, picture))
            assert (len(result.faces), result.found, crowd_notice(result, "full")) == (count, count, "")


def test_many_small_faces_hint_at_the_detector_for_them(portrait):
    far_away = people(portrait, [120] * 9, (1280, 720))
    with EmotionAnalyzer(AnalysisConfig(device="cpu", detector="tiled")) as analyzer:
        result = analyzer.analyze(Frame(0, 0.0, far_away))
    assert result.found == 9
    assert "--detector tiled" in crowd_notice(result, "full")
    assert crowd_notice(result, "tiled") == ""


def test_photos_and_videos_say_how_many_were_left_out(crowd, tmp_path):
    photo, video = tmp_path / "crowd.png", tmp_path / "crowd.mp4"
    assert cv2.imwrite(str(photo), crowd)
    make_video(video, [crowd] * 2, audio=())
    notice = "2 of 6 faces read; --max-faces 6 reads all"
    few = ["--max-faces", "2", "--device", "cpu"]
    said = CliRunner().invoke(cli, ["image", str(photo), "-o", str(tmp_path), *few])
    assert notice in said.output
    told = CliRunner().invoke(cli, ["image", str(photo), "-o", str(tmp_path), "--json", "--force", *few])
    assert json.loads(told.stdout)[0]["faces_found"] == len(HEIGHTS)
    said = CliRunner().invoke(cli, ["video", str(video), "--data", str(tmp_path / "crowd.csv"), *few])
    assert f"In the fullest frame {notice}" in said.output


def test_live_it_is_said_once(crowd, tmp_path):
    said = []
    frames = LiveSource(LiveFrame(i, i / 25, crowd, 100.0) for i in range(3))
    config = AnalysisConfig(device="cpu", max_faces=2, track=True)
    with EmotionAnalyzer(config) as analyzer, Recorder(tmp_path) as recorder, frames:
        loop = LiveLoop(analyzer, Settings(), recorder, say=said.append)
        loop.run(frames)
    assert said == ["2 of 6 faces read; --max-faces 6 reads all"]
    assert said[0] in loop.controls.lines()
