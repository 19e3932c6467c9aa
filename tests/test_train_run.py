"""Whole training runs, small ones: what they write, how they stop and go on, and what they refuse."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from faces import TINY, write_data

from live_emotion.emotions.classifier import EmotionClassifier
from live_emotion.errors import DataError, LiveEmotionError, OutputError
from live_emotion.models.checkpoint import load_checkpoint, load_state
from train.config import TrainConfig
from train.data.dataset import FaceSet
from train.engine.run_folder import BEST, FINAL, HISTORY, PLOT, STATE
from train.engine.run_state import Run
from train.engine.steps import Objective, batch_order
from train.engine.trainer import train


@pytest.fixture(scope="module")
def data(tmp_path_factory, portrait):
    return write_data(tmp_path_factory.mktemp("faces"), portrait)


@pytest.fixture
def config(data, tmp_path):
    """A run of three epochs of six batches, with every kind of chance in it."""
    return TrainConfig(
        data=data,
        output=tmp_path / "run",
        network=TINY,
        epochs=3,
        batch_size=8,
        optimizer="adamw",
        schedule="one_cycle",
        ema=0.9,
        jitter=0.2,
        blur=0.2,
        erasing=0.2,
        crop=0.1,
        mixup=0.3,
        cutmix=0.3,
        seed=5,
        device="cpu",
    )


def weights_of(path):
    return load_checkpoint(path).state_dict


def assert_equal_weights(a, b):
    assert a.keys() == b.keys()
    for name, value in a.items():
        assert torch.equal(value, b[name]), name


def without_time(history):
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in history.read_text().splitlines()]


def stop_after(monkeypatch, steps):
    """Sends a real Ctrl-C in the middle of a step."""
    count = 0
    original = Run.after_step

    def after_step(self):
        nonlocal count
        count += 1
        if count == steps:
            signal.raise_signal(signal.SIGINT)
        original(self)

    monkeypatch.setattr(Run, "after_step", after_step)


def replace(config, **changes):
    return TrainConfig(**{**vars(config), **changes})


def test_a_run_learns_and_writes_everything(data, tmp_path, capsys):
    config = TrainConfig(data=data, output=tmp_path / "run", network=TINY, epochs=6, batch_size=8, lr=0.003)
    train(config)
    history = without_time(config.output / HISTORY)
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4, 5, 6]
    best = max(history, key=lambda entry: entry["val_accuracy"])
    assert best["val_accuracy"] >= 0.9
    assert load_checkpoint(config.output / BEST).metadata["epoch"] == best["epoch"]
    assert load_checkpoint(config.output / FINAL).metadata["epoch"] == 6
    assert cv2.imread(str(config.output / PLOT)).shape[2] == 3
    classifier = EmotionClassifier(config.output / BEST)
    assert classifier.class_names == ("turned", "upright")
    probabilities = classifier.predict(cv2.imread(str(data / "val/upright/000.png"), cv2.IMREAD_GRAYSCALE)[None])
    assert probabilities[0, 1] > 0.5
    printed = capsys.readouterr().out
    for part in (
        "Epoch 1/6",
        "Per-class accuracy:",
        "  upright: ",
        "Train Loss: ",
        "✓ Saved best model with accuracy:",
    ):
        assert part in printed


def test_equal_seeds_give_equal_weights(config, tmp_path):
    train(replace(config, epochs=1))
    train(replace(config, epochs=1, output=tmp_path / "again"))
    assert_equal_weights(weights_of(config.output / FINAL), weights_of(tmp_path / "again" / FINAL))
    train(replace(config, epochs=1, output=tmp_path / "other", seed=6))
    other = weights_of(tmp_path / "other" / FINAL)
    assert any(not torch.equal(v, other[n]) for n, v in weights_of(config.output / FINAL).items())


@pytest.mark.parametrize("schedule", ["one_cycle", "plateau", "cosine"])
def test_a_stopped_run_goes_on_to_the_same_numbers(config, tmp_path, monkeypatch, schedule, capsys):
    config = replace(config, schedule=schedule)
    train(config)
    stopped = replace(config, output=tmp_path / "stopped")
    for steps in (2, 5, 6):  # within an epoch, within the next, at the end of one
        with monkeypatch.context() as patch:
            stop_after(patch, steps)
            with pytest.raises(KeyboardInterrupt):
                train(stopped, resume=stopped.output.exists())
        assert f"python -m train --resume -o {stopped.output}" in capsys.readouterr().out
    train(stopped, resume=True)
    assert_equal_weights(weights_of(config.output / FINAL), weights_of(stopped.output / FINAL))
    assert_equal_weights(weights_of(config.output / BEST), weights_of(stopped.output / BEST))
    assert without_time(config.output / HISTORY) == without_time(stopped.output / HISTORY)


def run_quietly(config, resume):
    """In a process of its own."""
    torch.set_num_threads(1)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    from train.engine import trainer

    trainer.SAVE_SECONDS = 0  # save after every batch: most of the time goes into writing
    trainer.train(config, resume, force=not resume)  # it may have been killed before its first state


def wait_for_saves(process, file, count):
    """Until a process has written a file so many times, or has ended."""
    seen = set()
    while process.exitcode is None and len(seen) <= count:
        with contextlib.suppress(FileNotFoundError):
            seen.add(file.stat().st_mtime_ns)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_kill_9_at_random_moments_leaves_files_that_load(config, tmp_path):
    killed = replace(config, output=tmp_path / "killed")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["train.engine.trainer"])
    whole = processes.Process(target=run_quietly, args=(config, False))
    whole.start()
    whole.join()
    chance = random.Random(0)
    kills = 0
    for _ in range(40):
        resume = (killed.output / STATE).exists()
        process = processes.Process(target=run_quietly, args=(killed, resume))
        process.start()
        if kills < 8:
            wait_for_saves(process, killed.output / STATE, chance.randrange(6))
        else:
            process.join()
        if process.exitcode is None:
            process.kill()
            process.join()
            kills += 1
        for file in killed.output.glob("[!.]*.pth"):
            load_state(file)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert kills == 8
    assert_equal_weights(weights_of(config.output / FINAL), weights_of(killed.output / FINAL))
    assert without_time(config.output / HISTORY) == without_time(killed.output / HISTORY)


def test_a_loss_that_is_not_finite_stops_the_run(config):
    train(replace(config, epochs=1, schedule="plateau"))
    before = weights_of(config.output / BEST)
    with pytest.raises(DataError, match=r"The loss became (nan|inf) in epoch 1, batch \d of 6; try a smaller --lr"):
        train(replace(config, epochs=1, schedule="plateau", optimizer="sgd", lr=1e6, weight_decay=1e6), force=True)
    assert_equal_weights(before, weights_of(config.output / BEST))
    with pytest.raises(DataError, match="start it anew with --force"):  # not on with the run before
        train(replace(config, epochs=1, schedule="plateau"), resume=True)


def test_weights_that_the_last_batch_ruined_are_not_kept(config):
    with pytest.raises(DataError, match=r"epoch 1, on the validation images; try a smaller --lr\.$"):
        train(replace(config, epochs=1, batch_size=1000, lr=1e9))
    assert not (config.output / BEST).exists() and not (config.output / HISTORY).exists()


def test_a_run_is_not_overwritten(config):
    train(replace(config, epochs=1))
    with pytest.raises(OutputError, match="holds a run already"):
        train(replace(config, epochs=1))


@pytest.mark.parametrize("name", [BEST, FINAL, HISTORY, PLOT])
def test_nor_is_what_others_wrote_where_it_goes(config, name):
    config.output.mkdir(exist_ok=True)
    (config.output / name).write_text("precious")
    with pytest.raises(OutputError, match=rf"{name} exists already; .* --force"):
        train(config)
    assert (config.output / name).read_text() == "precious"


def test_other_settings_or_images_cannot_be_resumed(config, tmp_path, portrait):
    train(replace(config, epochs=1, schedule="plateau"))
    with pytest.raises(DataError, match=r"Cannot resume with lr 0\.1: the run has 0\.001"):
        train(replace(config, epochs=2, schedule="plateau", lr=0.1), resume=True)
    other = write_data(tmp_path / "other", portrait, train=30)
    with pytest.raises(DataError, match="training images have changed"):
        train(replace(config, epochs=2, schedule="plateau", data=other), resume=True)
    train(replace(config, epochs=2, schedule="plateau"), resume=True)
    assert len(without_time(config.output / HISTORY)) == 2


def test_patience_ends_a_run(config, capsys):
    train(replace(config, epochs=9, schedule="plateau", lr=1e-9, patience=2, ema=0.0))
    assert len(without_time(config.output / HISTORY)) == 3
    printed = capsys.readouterr().out
    assert "no better validation accuracy for 2 epochs" in printed
    assert "The loss does not fall; try another learning rate" in printed


def run_with_little_disk(config):
    """In a process of its own, whose files may not grow beyond 20,000 bytes: less than a checkpoint has."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            train(config, resume=True)
        except OutputError as error:
            (config.output / "error.txt").write_text(str(error))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)  # what counts the lines that ran writes at the end


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_one_error_and_the_old_files_stay(config):
    train(replace(config, epochs=1, schedule="plateau"))
    before = {file.name: file.read_bytes() for file in config.output.glob("*.pth")}
    longer = replace(config, epochs=2, schedule="plateau")
    process = multiprocessing.get_context("forkserver").Process(target=run_with_little_disk, args=(longer,))
    process.start()
    process.join()
    assert process.exitcode == 0
    message = (config.output / "error.txt").read_text()
    assert message.startswith(f"Cannot write {config.output / FINAL}: the disk is full")
    assert "\n" not in message
    assert {file.name: file.read_bytes() for file in config.output.glob("*.pth")} == before
    assert not list(config.output.glob(".*"))
    train(longer, resume=True)  # with space again, it goes on
    assert len(without_time(config.output / HISTORY)) == 2


def test_a_run_without_a_saved_state_says_to_start_anew(config):
    config.output.mkdir()
    with pytest.raises(DataError, match="start it anew with --force"):
        train(config, resume=True)


def test_tensorboard_gets_every_epoch_in_one_file_a_run(config, monkeypatch):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="an extra")
    config = replace(config, schedule="plateau", lr=0.001)
    folder = config.output / "tensorboard"
    train(config)
    assert len(list(folder.iterdir())) == 1
    stop_after(monkeypatch, 9)  # in the middle of the fifth epoch
    with pytest.raises(KeyboardInterrupt):
        train(replace(config, epochs=6), resume=True)
    assert len(list(folder.iterdir())) == 2
    train(replace(config, epochs=6), resume=True)
    assert len(list(folder.iterdir())) == 3
    log = accumulators.EventAccumulator(str(folder)).Reload()
    history = without_time(config.output / HISTORY)
    for name in ("loss/val", "accuracy/train"):
        kind, split = name.split("/")
        events = log.Scalars(name)
        assert [e.step for e in events] == [1, 2, 3, 4, 5, 6]
        assert [e.value for e in events] == pytest.approx([e[f"{split}_{kind}"] for e in history])


def test_an_epoch_that_could_not_be_written_whole_is_done_again(config, monkeypatch):
    """Whatever breaks off the writing of an epoch's files, the run that goes on writes them all."""
    config = replace(config, epochs=1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(patch, 3)
        train(config)

    def gone(*_):
        raise OutputError("gone")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="gone"):
        patch.setattr("train.engine.run_folder.plot_history", gone)
        train(config, resume=True)
    assert not (config.output / PLOT).exists()
    train(config, resume=True)
    assert (config.output / PLOT).exists()
    assert len(without_time(config.output / HISTORY)) == 1


def test_too_little_memory_says_what_to_change(config, monkeypatch):
    def exhausted(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")

    monkeypatch.setattr("train.engine.steps.to_network", exhausted)
    with pytest.raises(
        LiveEmotionError, match="Out of memory with batches of 8 images; start again with --batch-size 4"
    ):
        train(config)


def faces_of(labels, classes):
    return FaceSet(
        np.zeros((len(labels), 48, 48), np.uint8),
        np.eye(classes, dtype=np.float32)[labels],
        tuple(map(Path, map(str, range(len(labels))))),
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, [0.8, 0.2]), ({"class_weights": True}, [0.5, 0.5]), ({"logit_adjustment": 1.0}, [0.5, 0.5])],
)
def test_what_knows_nothing_expects_the_frequencies_or_after_balancing_equal_ones(change, expected):
    data = faces_of([0] * 80 + [1] * 20, 2)
    objective = Objective(data, TrainConfig(**change), torch.device("cpu"))
    logits = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=50)

    def loss():
        optimizer.zero_grad()
        value = objective(logits.expand(100, 2), torch.from_numpy(data.targets))
        value.backward()
        return value

    optimizer.step(loss)
    assert logits.softmax(0).tolist() == pytest.approx(expected, abs=0.01)


def test_logit_adjustment_balances_the_classes_and_leaves_the_others_as_rare_as_they_are():
    data = faces_of([0] * 60 + [1] * 20 + [2] * 15 + [3] * 5, 4)
    objective = Objective(data, TrainConfig(others=("c", "d"), logit_adjustment=1.0), torch.device("cpu"))
    balanced = torch.tensor([0.4, 0.4, 0.15, 0.05]).log()  # what the frequencies become with the classes made equal
    found = (balanced + objective.offset).softmax(0)
    assert found.tolist() == pytest.approx([0.6, 0.2, 0.15, 0.05])


def test_weights_say_how_often_images_are_drawn():
    data = faces_of([0] * 500 + [1] * 500, 2)
    weighted = dataclasses.replace(data, weights=np.repeat([1.0, 3.0], 500))
    drawn = np.concatenate(batch_order(weighted, TrainConfig(), 0))
    assert weighted.labels[drawn].mean() == pytest.approx(0.75, abs=0.05)
    both = dataclasses.replace(weighted, weights=np.repeat([1.0, 0.0, 3.0], [250, 250, 500]))
    drawn = np.concatenate(batch_order(both, TrainConfig(balanced_sampling=True), 0))
    assert weighted.labels[drawn].mean() == pytest.approx(0.5, abs=0.05)
    assert not ((drawn >= 250) & (drawn < 500)).any()


def test_a_class_that_is_never_drawn_has_no_share():
    data = dataclasses.replace(
        faces_of([0] * 500 + [1] * 300 + [2] * 200, 3), weights=np.repeat([1.0, 0.0], [800, 200])
    )
    drawn = np.concatenate(batch_order(data, TrainConfig(balanced_sampling=True), 0))
    assert data.labels[drawn].mean() == pytest.approx(0.5, abs=0.05)
    objective = Objective(data, TrainConfig(class_weights=True, others=("surprise",)), torch.device("cpu"))
    assert torch.isfinite(objective(torch.zeros(3, 3), torch.eye(3)))


def test_balanced_sampling_draws_classes_equally_often():
    data = faces_of([0] * 900 + [1] * 100, 2)
    config = TrainConfig(balanced_sampling=True, batch_size=64)
    drawn = np.concatenate([np.concatenate(batch_order(data, config, epoch)) for epoch in range(4)])
    assert len(drawn) == 4000
    assert data.labels[drawn].mean() == pytest.approx(0.5, abs=0.04)
