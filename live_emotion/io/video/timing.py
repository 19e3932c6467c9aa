"""When the frames of a video are shown, by what its file says of that, and how far that can be trusted."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import Any

DECODING_TIMES_ONLY = frozenset({"asf", "avi"})
"""FFmpeg's names of containers that know only the order in which frames are decoded. Where that is not the order in
which they are shown, as with B-frames, it makes up presentation times that are wrong."""

MOST_AHEAD = 128
"""How many packets a decoder may have in work, its threads included."""

MOST_REORDERED = 16
"""By so many frames the order of decoding differs from that of showing them, at most (H.264, A.3.1)."""

LONGEST_PAUSE_S = 10
LONGEST_PAUSE_STEPS = 10
"""A pause between two frames that is longer than both, in seconds and in times of the usual, is told."""

MOST_FPS = 1000
"""Frames a second; no camera's video is played that fast."""


def has_decoding_times_only(container: str) -> bool:
    """Whether a container, by FFmpeg's name for it, knows no presentation times."""
    return not DECODING_TIMES_ONLY.isdisjoint(container.split(","))


class FrameClock:
    """Gives each decoded frame its time, in the order in which they are shown. Times never go back.

    A frame's time is its presentation time. Where those go back more often than the decoding times do, which FFmpeg's
    own programs look at, too, the first frame has the decoding time of the first packet, and so on.

    Args:
        container: FFmpeg's name of the file's format.
        origin: what its clock shows at time 0, in seconds.
        step: between frames, in seconds, where the file tells no times.
        delay: of the decoder, in packets; None: it shows at the first frame, if that is the file's.
    """

    def __init__(self, container: str, origin: Fraction, step: Fraction, delay: int | None = None) -> None:
        self._step = step
        self._shift = -origin
        self._packets = _PacketTimes(step, delay)
        self._has_presentation_times = not has_decoding_times_only(container)
        self._faults = [
            0 if self._has_presentation_times else 1,
            0,
        ]  # how often presentation and decoding times go back
        self._before: list[Fraction | None] = [None, None]  # those times of the last frame
        self._ahead = Fraction(0)  # presentation time of the first frame less its decoding time
        self._first: Fraction | None = None
        self._last: Fraction | None = None
        self._frames = self._counted = 0
        self._restarts = self._pauses = 0
        self._first_restart: Fraction | None = None
        self._first_pause: tuple[Fraction, Fraction] | None = None

    @property
    def delay(self) -> int | None:
        """Of the decoder, in packets, once a frame has come."""
        return self._packets.delay

    def feed(self, packet: Any) -> None:
        """Takes note of a packet that goes into the decoder."""
        self._packets.add(_seconds(packet.pts, packet), _seconds(packet.dts, packet))

    def time(self, frame: Any) -> Fraction:
        """The time of the next frame, in seconds."""
        stamp, is_decoding_time = self._stamp(frame)
        last, time = self._last, None if stamp is None else stamp + self._shift
        if time is None:
            time = Fraction(0) if last is None else last + self._step
            self._counted += not is_decoding_time
        elif last is None:
            self._first = time
        elif time < last:
            if is_decoding_time and last - time <= MOST_REORDERED * self._step:
                time = last
            else:  # the clock of a joined or looped recording starts anew
                self._shift += last + self._step - time
                time = last + self._step
                self._restarts += 1
                self._first_restart = self._first_restart or time
        elif time - last > max(LONGEST_PAUSE_S, LONGEST_PAUSE_STEPS * float(self._step)):
            self._pauses += 1
            self._first_pause = self._first_pause or (last, time)
        self._last = time
        self._frames += 1
        return time

    def _stamp(self, frame: Any) -> tuple[Fraction | None, bool]:
        """What the file's clock shows for a frame, in seconds, and whether that is the time when it is decoded."""
        stamps = _seconds(frame.pts, frame), _seconds(frame.dts, frame)
        for kind, stamp in enumerate(stamps):
            before = self._before[kind]
            if stamp is not None:
                self._faults[kind] += before is not None and stamp < before
                self._before[kind] = stamp
        shown, decoded = stamps[0], self._packets.of_frame(*stamps)
        if not self._frames and self._has_presentation_times and shown is not None and decoded is not None:
            self._ahead = shown - decoded
        if self._faults[0] > self._faults[1] or shown is None:
            return None if decoded is None else decoded + self._ahead, self._faults[0] > self._faults[1]
        return shown, False

    def doubts(self) -> list[str]:
        """Why the times of the frames so far cannot be trusted, each in a phrase; none where they can."""
        found = []
        if self._counted:
            rate = float(1 / self._step)
            found.append(
                f"{self._counted} of {self._frames} frames have no time; they are counted, {rate:.4g} a second"
            )
        if self._first_restart is not None:
            at = f"at {float(self._first_restart):.2f} s{_more(self._restarts)}"
            found.append(f"the file's clock goes back {at}; times go on from there")
        if self._first_pause is not None:
            start, end = map(float, self._first_pause)
            found.append(f"there is no frame from {start:.2f} to {end:.2f} s{_more(self._pauses)}")
        length = (self._last or 0) - (self._first or 0)
        if self._frames > 2 and (self._frames - 1) >= MOST_FPS * length:
            found.append(f"{self._frames} frames are within {float(length):.3f} s")
        return found


class _PacketTimes:
    """Decoding times of the latest packets, for the frames that come of them."""

    def __init__(self, step: Fraction, delay: int | None) -> None:
        self._step = step
        self._times: deque[tuple[Fraction | None, Fraction]] = deque(maxlen=MOST_AHEAD)  # presentation and decoding
        self._fed = 0
        self._at = -1  # the last frame's, counted in packets
        self.delay = delay

    def add(self, shown: Fraction | None, decoded: Fraction | None) -> None:
        """Takes in a packet that has a decoding time."""
        if decoded is not None:
            self._times.append((shown, decoded))
            self._fed += 1

    def of_frame(self, shown: Fraction | None, decoded: Fraction | None) -> Fraction | None:
        """The decoding time that is the next frame's when it is shown, or None.

        The decoder gives a frame the decoding time of the packet that brought it out, and those that come out at the
        end none.
        """
        oldest = self._fed - len(self._times)
        found = [i for i, times in enumerate(self._times, oldest) if times[1] == decoded]
        if not found and (decoded is not None or self._at < 0):
            return None
        self._at = found[-1] if found else self._at + 1
        if self.delay is None:
            own = [i for i, times in enumerate(self._times, oldest) if times[0] == shown]
            self.delay = self._at - own[0] if own else 0
        place = self._at - self.delay - oldest
        if place < 0:  # shown before the first packet that was read, after a jump in the file
            return self._times[0][1] + place * self._step
        return self._times[place][1] if place < len(self._times) else None


def _more(count: int) -> str:
    return f" and {count - 1} more times" if count > 1 else ""


def _seconds(ticks: int | None, of: Any) -> Fraction | None:
    """A time of a frame or a packet, if it has one."""
    return None if ticks is None or of.time_base is None else ticks * of.time_base
