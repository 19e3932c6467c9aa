"""Where on a face a network sees each class: class activation maps (Zhou et al., CVPR 2016).

They are exact where the last layer reads features that were averaged over the face: it may as well read those of each
place, and average then.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live_emotion.errors import ArgumentError
from live_emotion.faces.preprocessing import FACE_SIZE
from live_emotion.models.embedding import WithEmbedding


class WithClassMaps(nn.Module):
    """A network that gives its embedding and its class maps as well; its weights are the network's own.

    Args:
        model: maps (N, 1, 48, 48) to logits (N, C).

    Raises:
        ArgumentError: its last layer does not read averaged features, so that there are no such maps.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = WithEmbedding(model)
        pool = _pooling(self.model)
        if pool is None:
            raise ArgumentError("this network does not average its features over the face, and so has no class maps")
        self.pool = pool

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Faces (N, 1, 48, 48) -> logits (N, C), embedding (N, D) and maps (N, C, h, w), whose means are the logits."""
        (logits, embedding), features = _listen(self.model, self.pool, faces)
        last = self.model.last
        return logits, embedding, F.conv2d(features, last.weight[:, :, None, None], last.bias)


def _pooling(model: WithEmbedding) -> nn.Module | None:
    """The layer whose averages are the embedding."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.AdaptiveAvgPool2d)]
    if not layers:
        return None
    some = next(model.parameters())
    faces = torch.linspace(-1, 1, FACE_SIZE**2).view(1, 1, FACE_SIZE, FACE_SIZE).to(some.device, some.dtype)
    was_training = model.model.training
    model.model.eval()
    with torch.no_grad():
        (_, embedding), features = _listen(model, layers[-1], faces)
    model.model.train(was_training)
    averages = features.float().mean(dim=(2, 3))
    is_it = averages.shape == embedding.shape and torch.allclose(averages, embedding.float(), rtol=0.02, atol=0.02)
    return layers[-1] if is_it else None


def _listen(model: nn.Module, layer: nn.Module, faces: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """What a network gives, and what goes into one of its layers meanwhile."""
    kept: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.append(inputs[0])

    with layer.register_forward_pre_hook(keep):
        given = model(faces)
    return given, kept[-1]
