"""live-emotion: faces in, emotions out, everything on this machine.

    >>> from live_emotion import load_model, predict_image  # doctest: +SKIP
    >>> model, class_names = load_model()  # doctest: +SKIP
    >>> emotion, confidence, probabilities = predict_image(model, "photo.jpg", class_names)  # doctest: +SKIP

Names load on first use, so that importing this package is quick and pulls in neither torch nor mediapipe. Which names
there are, and where they live, is said once: in ``__init__.pyi``, which type checkers read as well.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
