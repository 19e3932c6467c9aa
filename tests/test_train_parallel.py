"""Two processes that train one network, over gloo on the CPU, against one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch
from faces import TINY, write_data
from torch import distributed

from live_emotion.errors import ArgumentError
from live_emotion.models.checkpoint import load_checkpoint
from train.config import TrainConfig
from train.engine.run_folder import FINAL, HISTORY
from train.engine.trainer import train

TESTS = Path(__file__).resolve().parent
WORKER = TESTS / "parallel_worker.py"

pytestmark = pytest.mark.skipif(
    not (distributed.is_available() and distributed.is_gloo_available()), reason="this torch has no gloo"
)


def start(*arguments):
    """Runs something in a process of its own, with one thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)


def torchrun(*arguments):
    return start("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2, *arguments)


@pytest.fixture(scope="module")
def data(tmp_path_factory, portrait):
    return write_data(tmp_path_factory.mktemp("faces"), portrait)  # 48 images: 6 batches of 7, and one of 6


@pytest.fixture(scope="module")
def runs(tmp_path_factory, data):
    """The folders of one process's run and of two processes'."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    for done in (start(WORKER, data, one), torchrun(WORKER, data, two)):
        assert done.returncode == 0, done.stderr[-2000:]
    return one, two


def notes(folder, rank):
    return json.loads((folder / f"notes{rank}.json").read_text())


def test_gradients_are_those_of_one_process_on_the_same_batch(runs):
    one, two = runs
    alone = torch.load(one / "gradients0.pt", weights_only=True)
    first, second = (torch.load(two / f"gradients{rank}.pt", weights_only=True) for rank in (0, 1))
    assert max(value.abs().max() for value in alone.values()) > 0.01
    for name, value in alone.items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], value, rtol=1e-4, atol=1e-6)


def test_so_are_the_weights_after_two_epochs_and_the_figures(runs):
    one, two = (load_checkpoint(folder / "run" / FINAL).state_dict for folder in runs)
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-5)
    histories = [[json.loads(line) for line in (f / "run" / HISTORY).read_text().splitlines()] for f in runs]
    for alone, together in zip(*histories, strict=True):
        for figure in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
            assert together[figure] == pytest.approx(alone[figure], abs=1e-4)


def test_each_image_is_seen_once_an_epoch(runs):
    first, second = (notes(runs[1], rank)["seen"] for rank in (0, 1))
    assert len(first) == len(second) == 14
    for epoch in (slice(0, 7), slice(7, 14)):
        assert sorted(chain(*first[epoch], *second[epoch])) == list(range(48))
    assert [len(batch) for batch in first[:7]] == [4, 4, 4, 4, 4, 4, 3]
    assert sorted(first[0] + second[0]) == sorted(notes(runs[0], 0)["seen"][0])


def test_only_the_first_process_writes(runs):
    first, second = (notes(runs[1], rank)["written"] for rank in (0, 1))
    assert any(FINAL.split(".")[0] in path for path in first)
    assert second == []


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"RANK": "abc"}, "RANK is 'abc', no whole number"),
        ({"RANK": "-1"}, "RANK is '-1', no whole number"),
        ({"RANK": "1"}, "RANK 1 and LOCAL_RANK 0 are not below WORLD_SIZE 1"),
        ({"WORLD_SIZE": "0"}, "RANK 0 and LOCAL_RANK 0 are not below WORLD_SIZE 0"),
        ({"WORLD_SIZE": "9" * 5000}, "WORLD_SIZE is '9999"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2 without RANK"),
        ({"WORLD_SIZE": "2", "RANK": "0"}, "WORLD_SIZE is 2 without MASTER_ADDR"),
        ({"LOCAL_RANK": ""}, "LOCAL_RANK is '', no whole number"),
    ],
)
def test_an_environment_that_makes_no_sense_is_one_clear_line(tmp_path, monkeypatch, variables, reason):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ArgumentError, match=f"of torchrun make no sense: {reason}.*start with torchrun"):
        train(TrainConfig(data=tmp_path, output=tmp_path / "run"))


def test_the_command_trains_in_two_processes_and_prints_once(data, tmp_path):
    network = chain(*(("--network", setting) for setting in TINY))
    options = ["--data", data, "-o", tmp_path / "run", "--epochs", 1, "--batch-size", 8, "--device", "cpu", *network]
    done = torchrun("-m", "train", *options)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("Epoch 1/1") == done.stdout.count("Train Loss:") == 1
    assert load_checkpoint(tmp_path / "run" / FINAL).class_names == ("turned", "upright")
