"""Counts of what the server does, as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

PREFIX = "live_emotion_"

HELP = {
    "requests_total": "Requests by method, route and status.",
    "frames_total": "Live frames that were read.",
    "frames_dropped_total": "Live frames that were not read, since newer ones had come.",
    "frames_refused_total": "Live frames that could not be read.",
    "faces_total": "Faces that were read in live frames.",
    "analysis_seconds_total": "Time that reading live frames took.",
    "images_total": "Images that were analysed.",
    "videos_total": "Videos that were begun.",
    "sessions": "Live sessions.",
    "listeners": "Listeners of events.",
}


class Metrics:
    """Counters that only grow, and gauges that are asked when somebody reads them."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._gauges: dict[str, Callable[[], float]] = {}

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Adds to a counter of :data:`HELP`; labels must be texts of our own, of which there are few."""
        self._counts[name, tuple(sorted(labels.items()))] += by  # type: ignore[assignment]

    def gauge(self, name: str, value: Callable[[], float]) -> None:
        """Says where a gauge of :data:`HELP` gets its value."""
        self._gauges[name] = value

    def text(self) -> str:
        """All of them."""
        lines: list[str] = []
        for name, about in HELP.items():
            kind = "gauge" if name in self._gauges else "counter"
            lines += [f"# HELP {PREFIX}{name} {about}", f"# TYPE {PREFIX}{name} {kind}"]
            if name in self._gauges:
                lines.append(f"{PREFIX}{name} {self._gauges[name]():g}")
                continue
            found = {labels: value for (counter, labels), value in self._counts.items() if counter == name}
            for labels, value in sorted(found.items()) or [((), 0)]:
                shown = ",".join(f'{key}="{text}"' for key, text in labels)
                lines.append(f"{PREFIX}{name}{{{shown}}} {value:.10g}" if shown else f"{PREFIX}{name} {value:.10g}")
        return "\n".join(lines) + "\n"
