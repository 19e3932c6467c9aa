"""The settings of a run: what they may be, wherever they come from, and the file that holds them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from faces import TINY, write_data
from hypothesis import given
from hypothesis import strategies as st

from live_emotion.cli.main import run_cli
from live_emotion.errors import ArgumentError, DataError
from train.cli.main import cli
from train.cli.run_options import resumed_config
from train.config import TrainConfig, kinds, settings
from train.config_file import LARGEST_FILE, SETTINGS_FILE, read_config, to_toml
from train.engine.trainer import train

ENDLESS = "0x" + "f" * 5000  # Python reads it, and cannot write it

WRONG = {
    "data": ["7", "true", "['a']", "'\\u0000'", "'" + "x" * 300 + "'", "'" + "x/" * 3000 + "'"],
    "classes": [
        "7",
        "[7]",
        "['a', 'a']",
        "'a,a'",
        "['']",
        "['..']",
        "['a/b']",
        "['.b']",
        '["a\\nb"]',
        f"['{'x' * 256}']",
    ],
    "others": ["7", "['a', 'a']", "['..']"],
    "network": ["7", "[['a']]", "['']", f"['{'x' * 5000}']", '["\\u0007"]'],
    "teacher": ["7", "[7]"],
    "epochs": [
        "0",
        "-1",
        "2.5",
        "true",
        "'3'",
        "{}",
        "[]",
        "1e999",
        "nan",
        "2020-01-01",
        "9" * 20,
        "9" * 4000,
        ENDLESS,
    ],
    "batch_size": ["1"],
    "lr": ["-0.1", "true", "'0.1'", "{}", "1e999", "-inf", "nan", "9" * 4000, ENDLESS, "[0.1]"],
    "flip": ["1.01"],
    "seed": ["-1", "0.5"],
    "freeze": ["0", "1", "'true'", "{}"],
    "arch": ["7", "'emotion'", "['emotion_cnn']", "{}", "'" + "x" * 5000 + "'"],
    "device": ["'gpu'"],
}
"""For each of some settings texts of TOML that it cannot be."""


def assert_one_clear_line(error, path):
    message = str(error)
    assert message.startswith(f"{path} ") and message.isprintable() and len(message) < 400 + len(str(path))


@pytest.mark.parametrize(
    ("name", "text"),
    [pytest.param(name, text, id=f"{name}-{i}") for name, texts in WRONG.items() for i, text in enumerate(texts)],
)
def test_a_file_with_a_setting_that_cannot_be_is_one_clear_error(tmp_path, name, text):
    path = tmp_path / "run.toml"
    text = text.replace("'", '"') if "\\u" in text else text  # TOML's single quotes take no escapes
    path.write_text(f"patience = 3\n{name} = {text}\n")
    with pytest.raises(DataError, match=f"{name} is .*; it should be ") as caught:
        read_config(path)
    assert_one_clear_line(caught.value, path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"epochs = [", "not a valid TOML file"),
        (b"\ngarbage 1", "not a valid TOML file: line 2, column 9: Expected '='"),
        (b"epochs = 3\nepochs = 4", "not a valid TOML file"),
        (b"epochs = \xff\xfe", "no text in UTF-8"),
        (b"epochs = " + b"9" * 5000, "a value in it is none of a setting; correct it"),
        (b"epochs = " + b"[" * 90_000, "not a valid TOML file"),
        (b"network = " + b"[" * 900 + b"]" * 900, "network|not a valid TOML file"),
        (b"\0" * 40, "not a valid TOML file"),
        (b"epoch = 3", "unknown setting 'epoch'"),
        (b"'a\\nb' = 3", "unknown setting"),
        (b"x" * 90_000 + b" = 3", "unknown setting"),
        (b".".join([b"a"] * 5_000) + b" = 3", "unknown setting|not a valid TOML file"),
    ],
    ids=range(12),
)
def test_a_damaged_file_is_one_clear_error(tmp_path, content, reason):
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_config(path)
    assert_one_clear_line(caught.value, path)


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"lr = {text}\nseed = 1".encode(errors="ignore"))
)
def test_whatever_a_file_holds_is_settings_or_an_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        assert read_config(path).keys() <= kinds().keys()
    except DataError as error:
        assert_one_clear_line(error, path)


def test_a_file_that_is_not_there_or_a_folder_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read the settings in .*none\.toml: No such file"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(DataError, match="Cannot read the settings in "):
        read_config(tmp_path)


def test_a_file_that_is_too_large_is_one_clear_error(tmp_path):
    (tmp_path / "run.toml").write_bytes(b"#" * (LARGEST_FILE + 1))
    with pytest.raises(DataError, match=r"Cannot read the settings in .*run\.toml: it has more than 0\.1 MB"):
        read_config(tmp_path / "run.toml")


names = st.text(min_size=1, max_size=20).filter(
    lambda name: name.isprintable() and name.strip() and "/" not in name and "\\" not in name and name[0] != "."
)
configs = st.builds(
    TrainConfig,
    data=names.map(Path),
    votes=st.none() | names.map(Path),
    classes=st.lists(names, unique=True, max_size=4).map(tuple),
    others=st.lists(names, unique=True, max_size=2).map(tuple),
    network=st.lists(names, max_size=2).map(tuple),
    teacher=st.lists(names.map(Path), max_size=2).map(tuple),
    epochs=st.integers(1, 10**9),
    lr=st.floats(0, 1e9),
    freeze=st.booleans(),
    ema=st.sampled_from([0, 1, 0.5, 5e-324]),
)


@given(configs)
def test_every_configuration_comes_back_from_its_file(tmp_path_factory, config):
    path = tmp_path_factory.getbasetemp() / "written.toml"
    path.write_text(to_toml(config.plain()), encoding="utf-8")
    assert TrainConfig(**read_config(path)) == config


def test_a_path_may_hold_the_sign_that_json_does_not_escape(tmp_path):
    (tmp_path / "run.toml").write_text(to_toml(TrainConfig(data=Path("a\x7fb\n\"c'")).plain()), encoding="utf-8")
    assert read_config(tmp_path / "run.toml")["data"] == Path("a\x7fb\n\"c'")


def test_names_in_a_file_may_have_hyphens_and_classes_commas(tmp_path):
    (tmp_path / "run.toml").write_text('val-fraction = 0.2\nclasses = "sad, happy"\n')
    assert read_config(tmp_path / "run.toml") == {"val_fraction": 0.2, "classes": ("sad", "happy")}


# --- from Python


@pytest.mark.parametrize("value", [None, "1", math.nan, math.inf, -1, True, {}, 10**5000, 1j, [1]], ids=range(10))
def test_numbers_from_python_are_checked(value):
    for name, kind in kinds().items():
        if kind in (int, float):
            with pytest.raises(ArgumentError, match=f"^{name} is .*; it should be a (whole )?number from "):
                TrainConfig(**{name: value})


def test_every_setting_refuses_what_is_of_another_type():
    for item in settings():
        with pytest.raises(ArgumentError, match=f"^{item.name} is <object.*; it should be "):
            TrainConfig(**{item.name: object()})


def test_a_path_that_a_file_could_not_hold_is_refused():
    with pytest.raises(ArgumentError, match=r"data is .*; it should be the path"):
        TrainConfig(data=Path("a\udcffb"))


def test_two_ways_to_balance_exclude_each_other():
    with pytest.raises(ArgumentError, match="balanced_sampling and logit_adjustment correct the same thing twice"):
        TrainConfig(balanced_sampling=True, logit_adjustment=1.0)


def test_a_folder_whose_name_cannot_be_a_class_is_an_error_before_training(tmp_path, portrait):
    data = write_data(tmp_path, portrait)
    for split in ("train", "val"):
        (data / split / "turned").rename(data / split / "tur\nned")
    with pytest.raises(ArgumentError, match="classes is "):
        train(TrainConfig(data=data, output=tmp_path / "run", network=TINY))


# --- on the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lr", "nan"], "lr is nan; it should be a number from 0"),
        (["--weight-decay", "inf"], "weight_decay is inf"),
        (["--classes", "a,b,a"], "classes is ('a', 'b', 'a'); it should be names of folders, no two alike."),
        (["--class-weights", "--balanced-sampling"], "correct the same thing twice"),
        (["--epochs", "9" * 5000], "epochs"),
        (["--arch", "none"], "is not one of"),
    ],
    ids=range(6),
)
def test_wrong_options_are_wrong_usage(arguments, message):
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert message in done.output


def run(monkeypatch, capsys, *arguments):
    """What the command line exits with, and says as its error."""
    monkeypatch.setattr("sys.argv", ["train", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit:
        run_cli(cli, "train")
    return exit.value.code, capsys.readouterr().err


@pytest.mark.parametrize("text", ["epochs = 'many'", "epoch = 3", "epochs = ["])
def test_damaged_settings_end_a_command_with_one_line(tmp_path, monkeypatch, capsys, text):
    path = tmp_path / SETTINGS_FILE
    path.write_text(text)
    for arguments in (["--config", path, "-o", tmp_path / "run"], ["--resume", "-o", tmp_path]):
        code, error = run(monkeypatch, capsys, *arguments)
        assert code == 1
        assert error.startswith(f"Error: {path} ") and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_options_win_over_the_settings_of_the_run_that_goes_on(tmp_path):
    before = TrainConfig(data=tmp_path / "data", output=tmp_path, classes=("a, b", "c"), patience=3, lr=0.5)
    (tmp_path / SETTINGS_FILE).write_text(to_toml(before.plain()))
    options = vars(TrainConfig(output=tmp_path, patience=7))
    assert resumed_config(options, {"patience", "output"}) == replace(before, patience=7)


def test_teachers_in_a_file_are_not_passed_over(tmp_path):
    path = tmp_path / SETTINGS_FILE
    path.write_text(to_toml(TrainConfig(teacher=(tmp_path / "a.pth",)).plain()))
    done = CliRunner().invoke(cli, ["--config", str(path)])
    assert done.exit_code == 2
    assert "python -m train distill --config" in done.output
