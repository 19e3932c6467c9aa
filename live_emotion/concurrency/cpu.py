"""How the processor's cores are shared between those who work at the same time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def network_threads(count: int) -> Iterator[None]:
    """Keeps PyTorch to so many cores in threads that start meanwhile, so that the others are free for other work.

    A network that is spread over all cores waits for the slowest of them, and where something else runs on one, for
    longer than it would have taken alone.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
