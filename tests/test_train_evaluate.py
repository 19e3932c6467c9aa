"""Measuring, calibrating and joining weights, learning from them, and settings in files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from faces import TINY, place, vary, write_data, write_faces

from live_emotion.api import load_model
from live_emotion.cli.main import cli as live_emotion
from live_emotion.emotions.classifier import EmotionClassifier, softmax
from live_emotion.errors import DataError, OutputError, WeightsError
from live_emotion.faces.preprocessing import normalize_faces
from live_emotion.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, save_state
from live_emotion.models.embedding import WithEmbedding
from live_emotion.models.registry import ARCHITECTURES as BUILT
from live_emotion.models.registry import build_model
from train import config as train_config
from train import metrics
from train.cli.main import cli
from train.config import ARCHITECTURES, TrainConfig
from train.config_file import read_config
from train.data.dataset import FaceSet
from train.data.splits import load_splits
from train.engine.distillation import add_teachers, load_teachers
from train.engine.network import load_pretrained
from train.engine.run_folder import BEST, FINAL
from train.engine.trainer import train
from train.evaluation.evaluation import evaluate
from train.evaluation.report import FILES
from train.evaluation.selection import evaluation_faces

SMALL = {
    "emotion_cnn": TINY,
    "emotion_cnn_se": TINY,
    "emotion_cnn_cbam": TINY,
    "emotion_resnet": ("channels=4,8",),
    "mobilenet": ("input_size=48",),
    "resnet18": (),
    "efficientnet_b0": (),
    "vit_b_16": ("num_layers=1", "num_heads=2", "hidden_dim=16", "mlp_dim=32"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory, portrait):
    return write_data(tmp_path_factory.mktemp("faces"), portrait)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    """The folder of a run that has learnt its two classes."""
    folder = tmp_path_factory.mktemp("run")
    train(TrainConfig(data=data, output=folder, network=TINY, epochs=6, batch_size=8, lr=0.003, device="cpu"))
    return folder


def invoke(command, *arguments):
    done = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def network_settings(values):
    return [part for value in values for part in ("--network", value)]


# --- figures


def test_figures_of_a_known_confusion():
    labels = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 1, 1, 0, 2])
    confusion = metrics.confusion_matrix(labels, predicted, 3)
    assert confusion.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert metrics.accuracy(confusion) == pytest.approx(4 / 6)
    assert metrics.balanced_accuracy(confusion) == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    scores = metrics.class_scores(confusion, ("a", "b", "c"))
    assert (scores["a"].precision, scores["a"].recall) == pytest.approx((2 / 3, 2 / 3))
    assert scores["b"].f1 == pytest.approx(0.5)
    assert scores["c"].images == 1


def test_calibration_error_is_the_gap_of_confidence_and_accuracy():
    probabilities = np.array([[0.9, 0.1]] * 10)
    labels = np.array([0] * 6 + [1] * 4)  # right in 60 %, where 90 % were claimed
    bins = metrics.calibration_bins(probabilities, labels)
    assert metrics.calibration_error(bins) == pytest.approx(0.3)
    assert sum(count for count, _, _ in bins) == 10
    assert metrics.negative_log_likelihood(probabilities, labels) == pytest.approx(
        -0.6 * np.log(0.9) - 0.4 * np.log(0.1)
    )


def test_the_temperature_that_made_the_logits_is_found_again():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 4))
    cumulated = softmax(logits).cumsum(axis=1)
    labels = (rng.random((len(logits), 1)) > cumulated).sum(axis=1).clip(max=3)
    assert metrics.fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.03)


# --- evaluate


def test_the_report_holds_what_a_look_at_each_picture_gives(trained, data, tmp_path):
    done = invoke(cli, "evaluate", "--weights", trained / BEST, "--data", data, "-o", tmp_path / "report")
    figures = json.loads((tmp_path / "report/evaluation.json").read_text())
    with (tmp_path / "report/predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    classifier = EmotionClassifier(trained / BEST)
    right = 0
    for row in rows:
        face = cv2.imread(str(data / row["file"]), cv2.IMREAD_GRAYSCALE)
        (prediction,) = classifier.classify(face[None])
        assert prediction.emotion == row["emotion"]
        assert float(row["confidence"]) == pytest.approx(prediction.confidence, abs=0.01)
        assert row["label"] == row["file"].split("/")[-2]
        right += prediction.emotion == row["label"]
    assert len(rows) == figures["images"] == 12
    assert figures["accuracy"] == pytest.approx(right / 12)
    assert np.trace(figures["confusion"]) == right
    assert figures["weights"] == [BEST]
    assert f"Accuracy: {right / 12:.2%} of 12 images" in done.output
    for picture in ("confusion_matrix", "reliability", "mistakes"):
        assert min(cv2.imread(str(tmp_path / f"report/{picture}.png")).shape[:2]) > 50


def test_the_mistakes_are_shown(trained, data, tmp_path, portrait):
    """All classes swapped: every image is a mistake, and the picture has as many faces."""
    for name, other in (("upright", "turned"), ("turned", "upright")):
        write_faces(tmp_path / "val" / name, [cv2.imread(str(p), 0) for p in sorted((data / "val" / other).iterdir())])
    done = invoke(cli, "evaluate", "--weights", trained / BEST, "--data", tmp_path, "-o", tmp_path / "report", "--json")
    assert json.loads(done.stdout)["accuracy"] < 0.2
    assert cv2.imread(str(tmp_path / "report/mistakes.png")).std() > 20


def test_several_weights_are_measured_as_their_mean(trained, data):
    classifier = EmotionClassifier([trained / BEST, trained / FINAL])
    faces = evaluation_faces(data, "val", classifier.class_names, None)
    single = [EmotionClassifier(trained / name).predict(faces.faces) for name in (BEST, FINAL)]
    np.testing.assert_allclose(evaluate(classifier, faces).probabilities, np.mean(single, axis=0), atol=1e-6)


def test_only_images_that_people_agree_on(trained, data, tmp_path):
    rows = [f"val,upright/{i:03d}.png,{5 + i},{5 - i}" for i in range(6)]
    votes = tmp_path / "votes.csv"
    votes.write_text("split,file,upright,turned\n" + "\n".join(rows) + "\n")
    base = ["--weights", trained / BEST, "--data", data, "--votes", votes, "-o", tmp_path / "report", "--json"]
    assert json.loads(invoke(cli, "evaluate", *base).stdout)["images"] == 6
    assert json.loads(invoke(cli, "evaluate", *base, "--min-agreement", 8, "--force").stdout)["images"] == 3


def test_without_the_copies_of_training_images(trained, data, tmp_path, portrait):
    fresh = vary(portrait, 4, 99)
    copies = [cv2.imread(str(data / f"train/upright/{i:03d}.png"), cv2.IMREAD_GRAYSCALE) for i in range(3)]
    write_faces(tmp_path / "val/upright", [*fresh, *copies])
    write_faces(tmp_path / "val/turned", vary(portrait, 2, 98)[:, ::-1])
    write_faces(tmp_path / "train/upright", copies)
    base = ["--weights", trained / BEST, "--data", tmp_path, "-o", tmp_path / "report", "--json"]
    figures = json.loads(invoke(cli, "evaluate", *base, "--without-duplicates").stdout)
    assert (figures["images"], figures["without_duplicates"]["images"]) == (9, 6)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory, portrait):
    """A run that held a quarter out: its settings, and the files that it held out with their labels.

    People's votes leave a third of its images out and turn the labels of others.
    """
    data = tmp_path_factory.mktemp("rated")
    rows = []
    for name, step in (("upright", 1), ("turned", -1)):
        write_faces(data / "train" / name, vary(portrait, 30, 3)[:, ::step])
        other = {"upright": "1,9,0", "turned": "9,1,0"}[name]
        own = other[2::-1] + ",0"
        rows += [f"{name}/{i:03d}.png,{('0,0,9', other, own)[min(i % 6, 2)]}" for i in range(30)]
    (data / "votes.csv").write_text("file,upright,turned,NF\n" + "\n".join(rows) + "\n")
    config = TrainConfig(
        data=data, output=data / "run", votes=data / "votes.csv", network=TINY, epochs=1, val_fraction=0.25, seed=4
    )
    _, val, used = load_splits(config)
    train(config)
    return config, {"/".join(f.parts[-3:]): used.classes[i] for f, i in zip(val.files, val.labels)}


def evaluate_held_out(config, *arguments):
    """The files of an evaluation of held-out images, with their labels."""
    report = config.output / "report"
    invoke(cli, "evaluate", "--weights", config.output / FINAL, "--held-out", "-o", report, "--force", *arguments)
    with (report / "predictions.csv").open() as file:
        return {row["file"]: row["label"] for row in csv.DictReader(file)}


def test_held_out_images_are_found_with_no_option_of_their_run(held_out):
    config, expected = held_out
    assert evaluate_held_out(config, "--data", config.data) == expected
    assert len(expected) == 12


def test_votes_give_held_out_images_other_labels(held_out):
    config, expected = held_out
    rated = evaluate_held_out(config, "--data", config.data, "--votes", config.votes, "--min-agreement", 9)
    assert rated == expected
    turned = config.output / "turned.csv"
    turned.write_text(config.votes.read_text().replace("file,upright,turned", "file,turned,upright"))
    opposite = {"upright": "turned", "turned": "upright"}
    rated = evaluate_held_out(config, "--data", config.data, "--votes", turned)
    assert rated == {file: opposite[label] for file, label in expected.items()}


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_other_images_than_a_run_held_out_are_refused(held_out, command, tmp_path, portrait):
    config, _ = held_out
    write_faces(tmp_path / "train/upright", vary(portrait, 30, 3)[:20])
    write_faces(tmp_path / "train/turned", vary(portrait, 30, 99))
    with pytest.raises(DataError, match=r"train has \d of the 12 images .* held out; give the folder .* with --data"):
        invoke(cli, command, "--weights", config.output / FINAL, "--data", tmp_path, "--held-out")


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_weights_of_a_run_with_a_validation_folder_held_nothing_out(trained, data, command):
    with pytest.raises(DataError, match=r"does not tell which images its run held out: .*--split val"):
        invoke(cli, command, "--weights", trained / BEST, "--data", data, "--held-out")


def test_weights_that_held_other_images_out_are_not_measured_as_one(held_out, tmp_path):
    config, _ = held_out
    train(replace(config, output=tmp_path / "run", seed=5))
    both = ["--weights", config.output / FINAL, "--weights", tmp_path / "run" / FINAL]
    with pytest.raises(DataError, match="held different images out"):
        invoke(cli, "evaluate", *both, "--data", config.data, "--held-out")


def test_nothing_is_left_without_duplicates_of_training(held_out, tmp_path):
    config, _ = held_out
    options = ["--data", config.data, "--held-out", "--without-duplicates", "-o", tmp_path]
    with pytest.raises(DataError, match="All 12 images have a copy"):
        invoke(cli, "evaluate", "--weights", config.output / FINAL, *options)


def test_a_missing_split_is_one_clear_error(trained, tmp_path):
    with pytest.raises(DataError, match=r"There is no folder .*val to evaluate on"):
        invoke(cli, "evaluate", "--weights", trained / BEST, "--data", tmp_path)


@pytest.mark.parametrize("name", [*FILES, "groups.png"])
def test_a_report_is_overwritten_only_with_force(trained, data, tmp_path, name):
    (tmp_path / name).write_text("precious")
    (tmp_path / "groups.csv").write_text("file,half\nupright/000.png,a\n")
    measure = ["evaluate", "--weights", trained / BEST, "--data", data, "-o", tmp_path]
    with pytest.raises(OutputError, match=rf"{name} exists already; .* --force"):
        invoke(cli, *measure, "--groups", tmp_path / "groups.csv")
    assert (tmp_path / name).read_text() == "precious"
    if name == FILES[0]:
        invoke(cli, *measure, "--force")
        assert (tmp_path / name).read_text() != "precious"


# --- calibrate


def test_calibration_overwrites_what_is_named_only_with_force(trained, data, tmp_path):
    weights = tmp_path / "a.pth"
    weights.write_bytes((trained / BEST).read_bytes())
    (tmp_path / "b.pth").write_text("precious")
    fit = ["calibrate", "--weights", weights, "--data", data]
    with pytest.raises(OutputError, match=r"b\.pth exists already; .* --force"):
        invoke(cli, *fit, "-o", tmp_path / "b.pth")
    assert (tmp_path / "b.pth").read_text() == "precious"
    invoke(cli, *fit, "-o", tmp_path / "b.pth", "--force")
    fitted = load_checkpoint(tmp_path / "b.pth").temperature
    assert fitted != load_checkpoint(weights).temperature
    invoke(cli, *fit)  # over the weights, as its help says
    assert load_checkpoint(weights).temperature == pytest.approx(fitted)


def test_calibrated_weights_are_a_pth_file(trained, data, tmp_path):
    fit = ["calibrate", "--weights", trained / BEST, "--data", data, "-o", tmp_path / "notes.txt"]
    done = CliRunner().invoke(cli, [str(argument) for argument in fit])
    assert done.exit_code == 2
    assert "notes.txt should end in .pth." in done.output


def test_calibration_makes_overconfident_weights_truer_and_keeps_predictions(trained, data, tmp_path):
    checkpoint = load_checkpoint(trained / BEST)
    save_checkpoint(replace(checkpoint, temperature=0.2), tmp_path / "a.pth")
    done = invoke(
        cli,
        "calibrate",
        "--weights",
        tmp_path / "a.pth",
        "--data",
        data,
        "--split",
        "train",
        "-o",
        tmp_path / "b.pth",
        "--half",
    )
    calibrated = load_checkpoint(tmp_path / "b.pth")
    faces = evaluation_faces(data, "train", calibrated.class_names, None)
    before, after = (EmotionClassifier(tmp_path / name).predict(faces.faces) for name in ("a.pth", "b.pth"))
    likelihoods = [metrics.negative_log_likelihood(p, faces.labels) for p in (before, after)]
    assert likelihoods[1] <= likelihoods[0] + 1e-3
    assert calibrated.half
    assert calibrated.temperature != 0.2
    assert f"-> {calibrated.temperature:.3f}" in done.output
    assert calibrated.metadata["calibration"] in done.output
    assert (tmp_path / "b.pth").stat().st_size < 0.8 * (tmp_path / "a.pth").stat().st_size


# --- architectures, pretrained weights, distillation


def test_the_command_line_knows_every_architecture():
    assert set(ARCHITECTURES) == set(BUILT) == set(SMALL)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_architecture_trains_and_runs(arch, tmp_path, portrait):
    data = write_data(tmp_path / "data", portrait, train=4, val=2)
    config = TrainConfig(data=data, output=tmp_path / "run", arch=arch, network=SMALL[arch], epochs=1, batch_size=8)
    train(config)
    assert load_checkpoint(config.output / FINAL).arch == arch
    assert EmotionClassifier(config.output / FINAL).predict(vary(portrait, 3, 1)).shape == (3, 2)


def test_frozen_layers_stay_and_the_last_ones_learn(trained, data, tmp_path):
    config = TrainConfig(
        data=data, output=tmp_path / "run", network=TINY, pretrained=trained / BEST, freeze=True, epochs=1, batch_size=8
    )
    train(config)
    before, after = (load_checkpoint(path).state_dict for path in (trained / BEST, config.output / FINAL))
    for name, value in before.items():
        if name.startswith("features"):  # also BatchNorm's statistics
            assert torch.equal(after[name], value), name
    assert not torch.equal(after["classifier.2.weight"], before["classifier.2.weight"])


def test_the_first_layers_stay_where_that_is_asked(trained, data, tmp_path):
    options = {"network": TINY, "pretrained": trained / BEST, "freeze_first": 2, "epochs": 1, "batch_size": 8}
    train(TrainConfig(data=data, output=tmp_path / "run", **options))
    before, after = (load_checkpoint(path).state_dict for path in (trained / BEST, tmp_path / "run" / FINAL))
    first = ("features.0.0.", "features.0.1.")  # a convolution and its BatchNorm
    for name, value in before.items():
        if name.startswith(first):  # also BatchNorm's statistics
            assert torch.equal(after[name], value), name
        elif value.is_floating_point():
            assert not torch.equal(after[name], value), name


@pytest.fixture(scope="module")
def knowing_more(tmp_path_factory, trained, portrait):
    """Data with a third folder, and weights that began with the two classes' and know it as something else."""
    data = write_data(tmp_path_factory.mktemp("three"), portrait)
    for split, count, seed in (("train", 24, 3), ("val", 6, 4)):
        write_faces(data / split / "sideways", np.rot90(vary(portrait, count, seed), axes=(1, 2)))
    folder = tmp_path_factory.mktemp("more")
    options = {"network": TINY, "epochs": 8, "batch_size": 8, "lr": 0.003, "device": "cpu"}
    train(TrainConfig(data=data, output=folder, others=("sideways",), pretrained=trained / BEST, **options))
    return data, folder / FINAL


def test_others_are_known_as_none_of_the_classes(knowing_more, portrait):
    _, weights = knowing_more
    checkpoint = load_checkpoint(weights)
    assert checkpoint.class_names == ("turned", "upright")
    assert checkpoint.other_names == ("sideways",)
    classifier = EmotionClassifier(weights)
    assert (classifier.class_names, classifier.other_names) == (("turned", "upright"), ("sideways",))
    shown, other = vary(portrait, 6, 7), np.rot90(vary(portrait, 6, 8), axes=(1, 2)).copy()
    probabilities = classifier.predict(np.concatenate([shown, other]))
    assert probabilities.shape == (12, 2)
    assert np.median(probabilities[:6].sum(axis=1)) > 0.6
    assert np.median(probabilities[6:].sum(axis=1)) < 0.4
    everything = classifier.predict_all(shown)
    np.testing.assert_allclose(everything.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(everything[:, :2], probabilities[:6], atol=1e-5)
    model, names = load_model(weights)  # whose last output is no class
    np.testing.assert_allclose(EmotionClassifier.of(model, names).predict(shown), probabilities[:6], atol=1e-5)


def test_evaluation_tells_how_others_are_taken(knowing_more, tmp_path):
    data, weights = knowing_more
    done = invoke(cli, "evaluate", "--weights", weights, "--data", data, "-o", tmp_path)
    figures = json.loads((tmp_path / "evaluation.json").read_text())
    assert figures["images"] == 12
    assert figures["others"]["images"] == 6
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    something_else = {label: [] for label in ("upright", "turned", "sideways")}
    for row in rows:
        something_else[row["label"]].append(float(row["p_sideways"]))
        assert row["emotion"] in ("upright", "turned")
    pairs = [(o, s) for o in something_else["sideways"] for s in something_else["upright"] + something_else["turned"]]
    area = np.mean([(o > s) + (o == s) / 2 for o, s in pairs])
    assert figures["others"]["area_under_curve"] == pytest.approx(area, abs=0.02)
    named = [max(float(r["p_upright"]), float(r["p_turned"])) > 0.8 for r in rows if r["label"] == "sideways"]
    assert figures["others"]["named"] == pytest.approx(np.mean(named))
    assert "Of 6 images of something else" in done.output


def test_others_are_calibrated_and_distilled_too(knowing_more, data, tmp_path):
    more, weights = knowing_more
    done = invoke(cli, "calibrate", "--weights", weights, "--data", more, "-o", tmp_path / "a.pth")
    assert "18 images" in done.output
    assert load_checkpoint(tmp_path / "a.pth").other_names == ("sideways",)
    pupil = tmp_path / "pupil"
    options = {"network": TINY, "epochs": 1, "batch_size": 8, "teacher": (weights,), "others": ("sideways",)}
    train(TrainConfig(data=more, output=pupil, **options))
    assert load_checkpoint(pupil / FINAL).other_names == ("sideways",)


def test_the_outputs_that_both_know_are_taken_by_name(knowing_more, data, tmp_path):
    _, weights = knowing_more
    model = load_checkpoint(weights).build()
    other = build_model("emotion_cnn", **{**load_checkpoint(weights).config, "num_classes": 2})
    load_pretrained(other, weights, ("sideways", "new"))
    assert torch.equal(other.classifier[-1].weight[0], model.classifier[-1].weight[2])
    assert not torch.equal(other.classifier[-1].weight[1], model.classifier[-1].weight[1])


def test_pretrained_weights_for_colours_and_other_classes_are_taken_as_far_as_they_fit(data, tmp_path, capsys):
    """As torchvision's file for ImageNet has them: three input channels, 1,000 classes."""
    from torchvision.models import resnet18

    torch.manual_seed(3)
    theirs = resnet18(weights=None)
    save_state(theirs.state_dict(), tmp_path / "resnet18.pth")
    config = TrainConfig(
        data=data, output=tmp_path / "run", arch="resnet18", pretrained=tmp_path / "resnet18.pth", freeze=True, epochs=1
    )
    train(config)
    ours = load_checkpoint(config.output / FINAL).state_dict
    torch.testing.assert_close(ours["conv1.weight"], theirs.conv1.weight.sum(dim=1, keepdim=True))
    assert torch.equal(ours["layer4.1.conv2.weight"], theirs.layer4[1].conv2.weight)
    assert ours["fc.weight"].shape == (2, 512)
    assert "Took 100%" in capsys.readouterr().out


def test_weights_of_another_network_are_refused(trained, data, tmp_path):
    config = TrainConfig(data=data, output=tmp_path / "run", arch="resnet18", pretrained=trained / BEST)
    with pytest.raises(WeightsError, match="weights of another network"):
        train(config)


@pytest.mark.parametrize(
    "content", [{"state_dict": 7}, {"state_dict": {}, "class_names": 7}, {"state_dict": {}}, {"class_names": "ab"}]
)
def test_damaged_weights_to_begin_with_are_one_clear_error(data, tmp_path, content):
    save_state(content, tmp_path / "a.pth")
    config = TrainConfig(data=data, output=tmp_path / "run", network=TINY, pretrained=tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"a\.pth (is damaged|holds weights of another network)"):
        train(config)


def test_layers_that_are_all_frozen_are_one_clear_error(data, tmp_path):
    with pytest.raises(DataError, match="lower --freeze-first"):
        train(TrainConfig(data=data, output=tmp_path / "run", network=TINY, freeze_first=1000))


def test_a_pupil_learns_what_its_teachers_know(trained, data, tmp_path):
    """From turned labels and right teachers, whose word alone counts."""
    for split in ("train", "val"):
        for name, other in (("upright", "turned"), ("turned", "upright")):
            faces = [cv2.imread(str(p), 0) for p in sorted((data / split / other).iterdir())]
            write_faces(tmp_path / "data" / split / name, faces)
    teachers = ["--teacher", trained / BEST, "--teacher", trained / FINAL, "--teacher-share", 1]
    options = ["--epochs", 6, "--batch-size", 8, "--lr", 0.003, "--patience", 0, *network_settings(TINY)]
    invoke(cli, "distill", *teachers, "--data", tmp_path / "data", "-o", tmp_path / "pupil", *options)
    pupil = EmotionClassifier(tmp_path / "pupil" / FINAL)
    faces = evaluation_faces(data, "val", pupil.class_names, None)
    assert (pupil.predict(faces.faces).argmax(axis=1) == faces.labels).mean() >= 0.9


def test_teachers_without_a_class_are_refused(trained, tmp_path, portrait):
    for name in ("upright", "other"):
        for split in ("train", "val"):
            write_faces(tmp_path / "data" / split / name, vary(portrait, 4, 1))
    with pytest.raises(DataError, match="don't know the class other"):
        train(TrainConfig(data=tmp_path / "data", output=tmp_path / "run", teacher=(trained / BEST,), network=TINY))


def test_teachers_that_see_none_of_the_classes_leave_an_image_its_label(tmp_path, portrait, capsys):
    """Of the teacher's three classes it gives the third all of one face, and nothing of the other."""
    seen, unseen = vary(portrait, 1, 1)[0], vary(portrait, 1, 2)[0, ::-1]
    model = build_model("emotion_cnn", num_classes=3, channels=(4, 8), hidden=(16,)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
        _, (no, yes) = WithEmbedding(model)(normalize_faces(torch.from_numpy(np.stack([seen, unseen]))))
        last = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)][-1]
        last.weight.zero_()
        last.bias.zero_()
        last.weight[2] = (yes - no) * 2000 / (yes - no).square().sum()
        last.bias[2] = -last.weight[2] @ (yes + no) / 2
    save_checkpoint(Checkpoint.of(model, "emotion_cnn", ("a", "b", "c")), tmp_path / "teacher.pth")
    config = TrainConfig(classes=("a", "b"), teacher=(tmp_path / "teacher.pth",), teacher_share=0.5, device="cpu")
    data = FaceSet(np.stack([seen, unseen]), np.eye(2, dtype=np.float32), (Path("0.png"), Path("1.png")))
    teachers = load_teachers(config)
    np.testing.assert_allclose(add_teachers(data, config, teachers).targets, [[0.75, 0.25], [0, 1]], atol=1e-6)
    assert "see none of the classes in 1 of 2 images; their labels alone count" in capsys.readouterr().out
    with pytest.raises(DataError, match="see none of the classes in any training image"):
        add_teachers(data.take(np.array([1])), config, teachers)


# --- settings in files


def test_a_runs_settings_give_the_same_run_again(data, tmp_path):
    votes = tmp_path / "votes.csv"
    counts = {"upright": "9,1", "turned": "2,8"}
    files = [p.relative_to(data).parts for p in sorted(data.glob("*/*/*.png"))]
    rows = [f"{split},{label}/{name},{counts[label]}" for split, label, name in files]
    votes.write_text("split,file,upright,turned\n" + "\n".join(rows) + "\n")
    options = ["--data", data, "--votes", votes, "--classes", "upright,turned", "--epochs", 1, "--batch-size", 8]
    options += [
        "--optimizer",
        "sgd",
        "--schedule",
        "cosine",
        "--mixup",
        0.2,
        "--class-weights",
        *network_settings(TINY),
    ]
    invoke(cli, *options, "-o", tmp_path / "a")
    invoke(cli, "--config", tmp_path / "a/run.toml", "-o", tmp_path / "b")
    first, second = (read_config(tmp_path / run / "run.toml") for run in ("a", "b"))
    assert first | {"output": ""} == second | {"output": ""}
    assert first["optimizer"] == "sgd" and first["classes"] == ("upright", "turned") and first["class_weights"] is True
    one, two = (load_checkpoint(tmp_path / run / FINAL).state_dict for run in ("a", "b"))
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    invoke(cli, "--config", tmp_path / "a/run.toml", "-o", tmp_path / "c", "--optimizer", "adamw")
    assert read_config(tmp_path / "c/run.toml")["optimizer"] == "adamw"


def test_every_setting_is_in_the_help_under_its_heading():
    output = invoke(cli, "--help").output
    for item in train_config.settings():
        if item.metadata["group"] != "Distillation":
            assert f"--{item.name.replace('_', '-')}" in output
            assert f"{item.metadata['group']}:" in output


# --- from a user's photos to the emotions in a photo, with commands alone


def test_own_photos_become_an_own_model_that_runs(tmp_path, portrait):
    for label, flip in (("left", 1), ("right", -1)):
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for i, photo in enumerate(place(portrait[:, ::flip], 12, 5)):
            cv2.imwrite(str(folder / f"{i}.jpg"), photo)
    invoke(cli, "prepare", tmp_path / "photos", "-o", tmp_path / "data")
    options = ["--epochs", 12, "--batch-size", 8, "--lr", 0.003, "--flip", 0, "--rotation", 0, "--val-fraction", 0.25]
    invoke(cli, "--data", tmp_path / "data", "-o", tmp_path / "run", *options, *network_settings(TINY))
    for label, flip in (("left", 1), ("right", -1)):
        (photo,) = place(portrait[:, ::flip], 1, 77)
        cv2.imwrite(str(tmp_path / "new.jpg"), photo)
        weights = ["--weights", tmp_path / "run" / BEST, "-o", tmp_path / "results", "--json", "--force"]
        done = invoke(live_emotion, "image", tmp_path / "new.jpg", *weights)
        (face,) = json.loads(done.stdout)[0]["faces"]
        assert set(face["probabilities"]) == {"left", "right"}
        assert face["emotion"] == label
