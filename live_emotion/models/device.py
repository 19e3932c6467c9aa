"""What networks are computed on, and in which type."""

from __future__ import annotations

import torch

from live_emotion.errors import DeviceError


def pick_device(name: str = "auto") -> torch.device:
    """The device of a name.

    Args:
        name: ``auto`` (CUDA, else MPS, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: the device is not on this machine, or torch has no support for it.
    """
    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if has["cuda"] else "mps" if has["mps"] else "cpu")
    kind = name.split(":")[0]
    try:
        if has.get(kind, False):
            return torch.device(name)
    except RuntimeError:  # what is behind the colon is no number
        pass
    there = ", ".join(kind for kind, found in has.items() if found)
    raise DeviceError(f"Device {name} is not available here; there is {there}. Choose one of them, or auto.")


def fast_dtype(device: torch.device) -> torch.dtype:
    """The type in which a device computes fastest with enough precision for these networks.

    bfloat16 on a CPU with instructions for it (AVX512-BF16 or AMX) and on a CUDA device that has it, float16 on an
    older one, float32 elsewhere.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu":
        # a public name since torch 2.10 or so, and the private helpers before it
        if hasattr(torch.cpu, "get_capabilities"):
            able = torch.cpu.get_capabilities()
            return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
        if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
            return torch.bfloat16
    return torch.float32
