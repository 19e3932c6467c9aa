"""The state that a run goes on from: what is damaged, cut short or of another run is one clear error."""

from __future__ import annotations

import math
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from faces import TINY, write_data

from live_emotion.errors import DataError, WeightsError
from live_emotion.models.checkpoint import load_state, save_state
from train.config import TrainConfig
from train.data.splits import load_splits
from train.engine.run_folder import BEST, STATE
from train.engine.run_state import Run, read_run
from train.engine.trainer import train

CPU = torch.device("cpu")
STEPS = 8
"""After which a run is asked to stop, which it does after one more; an epoch has six."""


def stopped_run(folder, portrait, optimizer, schedule):
    """A run that was stopped in its second epoch: its settings with the classes, and its training faces."""
    config = TrainConfig(
        data=write_data(folder / "data", portrait),
        output=folder / "run",
        network=TINY,
        epochs=2,
        batch_size=8,
        optimizer=optimizer,
        schedule=schedule,
        ema=0.9,
        device="cpu",
    )
    after_step, done = Run.after_step, []

    def stop_after_some(run):
        after_step(run)
        done.append(run)
        if len(done) == STEPS:
            signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Run, "after_step", stop_after_some)
        train(config)
    faces, _, config = load_splits(config)
    return config, faces


@pytest.fixture(scope="module")
def run(tmp_path_factory, portrait):
    return stopped_run(tmp_path_factory.mktemp("run"), portrait, "adam", "one_cycle")


def resume(config, faces, path):
    """A run that has taken up the state in a file; whether it can, is what these tests ask."""
    run = Run(config, faces, CPU)
    run.load(read_run(path), path)
    return run


def fails(config, faces, path):
    """The one line that says why a run cannot go on. It has taken up nothing."""
    run = Run(config, faces, CPU)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    with pytest.raises(DataError) as caught:
        run.load(read_run(path), path)
    assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items())
    assert (run.epoch, run.step, run.history) == (0, 0, [])
    message = str(caught.value)
    assert message.startswith("Cannot resume") and message.isprintable() and len(message) < 400 + len(str(path))
    assert message.endswith(" with -o.")
    return message


def assert_same(a, b):
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key, value in a.items():
            assert_same(value, b[key])
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    else:
        assert a == b


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("schedule", ["plateau", "one_cycle", "cosine"])
def test_what_a_run_saved_it_takes_up_again(tmp_path, portrait, optimizer, schedule):
    config, faces = stopped_run(tmp_path, portrait, optimizer, schedule)
    run = resume(config, faces, config.output / STATE)
    assert (run.epoch, run.step, len(run.history)) == (1, STEPS + 1 - 6, 1)
    run.save(tmp_path / "again.pth")
    assert_same(load_state(tmp_path / "again.pth"), load_state(config.output / STATE))


def test_a_file_that_is_cut_short_or_something_else_cannot_be_resumed(run, tmp_path):
    config, faces = run
    content = (config.output / STATE).read_bytes()
    path = tmp_path / STATE
    for damaged in (b"", content[: len(content) // 2], content[:-40], b"\0" * 1000, b"hello"):
        path.write_bytes(damaged)
        assert f"{path} is damaged or holds no state of a run" in fails(config, faces, path)
    for other in ({}, {"a": 1}, load_state(config.output / BEST), load_state(config.output / STATE) | {"config": 7}):
        save_state(other, path)
        assert f"{path} holds no state of a run" in fails(config, faces, path)


def put(state, place, value):
    """Puts a value in a place of a state, or takes it out where it is ``...``."""
    *outer, last = place
    for key in outer:
        state = state[key]
    if value is ...:
        del state[last]
    else:
        state[last] = value(state[last]) if callable(value) else value


NESTED: list = []
for _ in range(300):
    NESTED = [NESTED]


def with_nan(value):
    changed = value.clone()
    changed.view(-1)[0] = math.nan
    return changed


DAMAGE = [
    ("fingerprint", 7),
    ("model", None),
    ("model", {}),
    ("model classifier.2.weight", ...),
    ("model classifier.2.weight", "text"),
    ("model classifier.2.weight", torch.zeros(3)),
    ("model classifier.2.weight", torch.Tensor.double),
    ("model classifier.2.weight", with_nan),
    ("model classifier.2.weight", torch.Tensor.to_sparse),
    ("average", None),
    ("average n_averaged", torch.tensor(-10)),
    ("average module.classifier.2.weight", with_nan),
    ("optimizer", []),
    ("optimizer state", {}),
    ("optimizer state", {"a": 1}),
    ("optimizer state 0", {}),
    ("optimizer state 0 exp_avg", torch.zeros(1)),
    ("optimizer state 0 exp_avg", with_nan),
    ("optimizer state 0 exp_avg_sq", lambda value: -1 - value),
    ("optimizer state 0 step", torch.tensor(-1.0)),
    ("optimizer state 0 step", 3),
    ("optimizer param_groups", []),
    ("optimizer param_groups 0 lr", math.nan),
    ("optimizer param_groups 0 lr", 1e300),
    ("optimizer param_groups 0 lr", "0.1"),
    ("optimizer param_groups 0 betas", (1.0, 1.0)),
    ("optimizer param_groups 0 params", [0]),
    ("scaler", None),
    ("scaler", {"scale": 1.0}),
    ("schedule", {}),
    ("schedule total_steps", 1),
    ("schedule last_epoch", 99),
    ("schedule last_epoch", "8"),
    ("schedule _last_lr", [math.inf]),
    ("epoch", -1),
    ("epoch", 2),
    ("epoch", True),
    ("epoch", 10**50),
    ("step", -1),
    ("step", 7),
    ("step", 1.0),
    ("totals", None),
    ("totals loss", math.nan),
    ("totals count", 0),
    ("totals count", 10**30),
    ("totals right", 49),
    ("totals right", "1"),
    ("history", ()),
    ("history", NESTED),
    ("history", []),
    ("history 0", {}),
    ("history 0 val_loss", math.nan),
    ("history 0 val_accuracy", "1"),
    ("history 0 epoch", 5),
    ("history 0 per_class", {}),
    ("history 0 per_class upright", [1]),
    ("history 0 per_class upright", [1, None]),
    ("history 0 lr", [0.1]),
]


@pytest.mark.parametrize(("place", "value"), DAMAGE, ids=range(len(DAMAGE)))
def test_a_state_in_which_anything_cannot_be_is_one_clear_error(run, tmp_path, place, value):
    config, faces = run
    state = load_state(config.output / STATE)
    put(state, [int(key) if key.isdigit() else key for key in place.split()], value)
    save_state(state, tmp_path / STATE)
    fails(config, faces, tmp_path / STATE)


@pytest.mark.parametrize("part", ["config", "fingerprint", "model", "optimizer", "schedule", "epoch", "history"])
def test_a_state_that_lacks_a_part_is_none(run, tmp_path, part):
    config, faces = run
    state = load_state(config.output / STATE)
    del state[part]
    save_state(state, tmp_path / STATE)
    assert "holds no state of a run" in fails(config, faces, tmp_path / STATE)


@pytest.mark.parametrize("value", [0.5, "text", None, torch.ones(2), [torch.ones(2)], 10**50])
def test_settings_in_a_state_that_are_others_or_damaged_are_named(run, tmp_path, value):
    config, faces = run
    state = load_state(config.output / STATE)
    for name in ("lr", "network", "arch"):
        save_state(state | {"config": state["config"] | {name: value}}, tmp_path / STATE)
        assert fails(config, faces, tmp_path / STATE).startswith(f"Cannot resume with {name} ")


def test_a_run_from_before_there_was_a_setting_goes_on_with_its_default(run, tmp_path):
    config, faces = run
    state = load_state(config.output / STATE)
    del state["config"]["jitter"]
    save_state(state, tmp_path / STATE)
    assert resume(config, faces, tmp_path / STATE).epoch == 1
    assert "Cannot resume with jitter 0.5: the run has 0.0." in fails(
        replace(config, jitter=0.5), faces, tmp_path / STATE
    )


def test_a_state_of_mixed_precision_goes_on_without_and_the_other_way_round(run, tmp_path):
    config, faces = run
    state = load_state(config.output / STATE)
    save_state(state | {"scaler": torch.amp.GradScaler("cpu").state_dict()}, tmp_path / STATE)
    assert resume(config, faces, tmp_path / STATE).stepper.scaler.state_dict() == {}
    half = Run(config, faces, CPU)
    half.stepper.scaler = torch.amp.GradScaler("cpu")
    half.load(read_run(config.output / STATE), config.output / STATE)
    assert half.stepper.scaler.get_scale() == 65536


def test_the_command_says_what_to_do(run, tmp_path):
    config, _ = run
    (config.output / STATE).write_bytes((config.output / STATE).read_bytes()[:999])
    with pytest.raises(DataError, match="Start anew with --force, or in another folder with -o"):
        train(replace(config, classes=()), resume=True)


def test_what_a_run_begins_with_is_looked_at_before_the_images(tmp_path):
    gone = TrainConfig(data=tmp_path / "gone", output=tmp_path / "run")
    with pytest.raises(DataError, match="There is no folder"):
        train(gone)
    with pytest.raises(WeightsError, match=r"There is no weights file nosuch\.pth; check the name"):
        train(replace(gone, teacher=(Path("nosuch.pth"),)))
    (gone.output / STATE).write_bytes(b"hello")
    with pytest.raises(DataError, match="is damaged or holds no state of a run"):
        train(gone, resume=True)
