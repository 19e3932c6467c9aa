"""What a network knows of a face before it decides: the features that its last layer reads."""

from __future__ import annotations

from torch import Tensor, nn

from live_emotion.errors import ArgumentError


class WithEmbedding(nn.Module):
    """A network that gives its embedding as well; its weights are the network's own.

    Args:
        model: maps (N, 1, 48, 48) to logits (N, C); its last fully connected layer is what makes them.

    Raises:
        ArgumentError: it has no fully connected layer.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        if not layers:
            raise ArgumentError("this network has no fully connected layer, and so no embedding")
        self.last = layers[-1]

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Faces (N, 1, 48, 48) -> logits (N, C) and embedding (N, D)."""
        kept: list[Tensor] = []

        def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            kept.append(inputs[0])

        with self.last.register_forward_pre_hook(keep):
            logits = self.model(faces)
        return logits, kept[-1]
