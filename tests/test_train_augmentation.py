"""What augmentation makes of a batch, and how faces and targets are mixed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from faces import vary

from train.config import TrainConfig
from train.data.augmentation import augment, mix
from train.data.dataset import FaceSet
from train.engine.steps import make_batch, seed_step


@pytest.fixture(scope="module")
def faces(portrait):
    return torch.from_numpy(vary(portrait, 16, 1))


@pytest.fixture(scope="module")
def targets():
    """Soft ones, as votes and teachers make them: float32 (16, 3)."""
    return torch.from_numpy(np.random.default_rng(0).dirichlet([1, 1, 1], 16).astype(np.float32))


def test_a_mixup_is_a_share_of_two_faces_and_the_same_share_of_their_targets(faces, targets):
    torch.manual_seed(1)
    mixed, soft = mix(faces, targets, TrainConfig(mixup=1))
    assert (mixed.dtype, mixed.shape, soft.dtype, soft.shape) == (
        torch.uint8,
        faces.shape,
        torch.float32,
        targets.shape,
    )
    others, other_targets = faces.roll(1, 0).float(), targets.roll(1, 0)
    share = ((soft - other_targets) * (targets - other_targets)).sum() / ((targets - other_targets) ** 2).sum()
    assert 0.05 < share < 0.95
    torch.testing.assert_close(soft, share * targets + (1 - share) * other_targets)
    blended = share * faces.float() + (1 - share) * others
    assert (mixed.float() - blended).abs().max() <= 0.51
    torch.testing.assert_close(soft.sum(1), torch.ones(16))


def test_a_cutmix_has_a_rectangle_of_another_face_and_its_area_of_the_target(faces, targets):
    torch.manual_seed(2)
    mixed, soft = mix(faces, targets, TrainConfig(cutmix=1))
    others = faces.roll(1, 0)
    changed = (mixed != faces).any(dim=0)
    rows, columns = changed.any(1).nonzero(), changed.any(0).nonzero()
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    pasted = faces.clone()
    pasted[:, top:bottom, left:right] = others[:, top:bottom, left:right]
    assert torch.equal(mixed, pasted)
    area = (bottom - top) * (right - left) / 48**2
    assert 0 < area < 1
    torch.testing.assert_close(soft, area * targets.roll(1, 0) + (1 - area) * targets)


def test_with_both_each_comes_by_chance(faces, targets):
    cut = set()
    for seed in range(20):
        torch.manual_seed(seed)
        mixed, _ = mix(faces, targets, TrainConfig(mixup=1, cutmix=1))
        cut.add(bool(((mixed == faces) | (mixed == faces.roll(1, 0))).all()))
    assert cut == {True, False}


@pytest.mark.parametrize("alpha", [0, 1e-9, 5e-324])
def test_no_alpha_mixes_nothing(faces, targets, alpha):
    mixed, soft = mix(faces, targets, TrainConfig(mixup=alpha, cutmix=alpha))
    assert torch.equal(mixed, faces)
    assert torch.equal(soft, targets)


@pytest.mark.parametrize("alpha", [0.001, 1e9])
def test_extreme_alphas_are_mixed_as_well(faces, targets, alpha):
    _, soft = mix(faces, targets, TrainConfig(mixup=alpha, cutmix=alpha))
    torch.testing.assert_close(soft.sum(1), torch.ones(16))


def test_a_batch_depends_on_its_place_in_the_run_alone(faces, targets):
    data = FaceSet(faces.numpy(), targets.numpy(), ())
    config = TrainConfig(mixup=0.4, cutmix=0.4, blur=0.5, erasing=0.5, jitter=0.3, crop=0.1, seed=3)

    def batch(epoch, step):
        return make_batch(data, np.arange(16), config, seed_step(config, epoch, step), torch.device("cpu"))

    first = batch(1, 2)
    torch.rand(7)  # whatever was drawn in between
    again, other = batch(1, 2), batch(1, 3)
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))


def test_augmentation_keeps_kind_and_shape_and_changes_pixels(faces):
    config = TrainConfig(blur=1, erasing=1, jitter=1, crop=0.9)
    changed = augment(faces, config, torch.Generator().manual_seed(0))
    assert (changed.dtype, changed.shape) == (faces.dtype, faces.shape)
    assert (changed != faces).float().mean() > 0.5
