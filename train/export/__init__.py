"""Weights -> ONNX and torch.export."""
