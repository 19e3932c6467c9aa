"""What whoever has a video read should know of it, in sentences that are the same wherever they are said."""

from __future__ import annotations

from itertools import islice

from live_emotion.pipelines.videos.video import VideoSummary
from live_emotion.visualization.times import duration_text

MOST_TIMES = 5
"""How many times of damaged frames are named."""


def remarks(summary: VideoSummary, can_resume: bool = False) -> list[str]:
    """Sentences about faces that were not read, damage, an end that is missing, doubtful times, and audio.

    Args:
        summary: what was read in the video.
        can_resume: whether ``--resume`` would read a video again that breaks off.
    """
    said = []
    if summary.notice:
        said.append(f"In the fullest frame {summary.notice}.")
    if summary.damaged_s:
        times = ", ".join(f"{time_s:.2f}" for time_s in islice(summary.damaged_s, MOST_TIMES))
        more = ", ..." if len(summary.damaged_s) > MOST_TIMES else ""
        said.append(f"Damaged or missing frames: {len(summary.damaged_s)}, at {times}{more} s.")
    if summary.breaks_off_s:
        there, whole = map(duration_text, summary.breaks_off_s)
        again = " --resume reads it again." if can_resume else ""
        said.append(f"It breaks off at {there} of {whole}; was it copied whole?{again}")
    if summary.timing_doubts:
        said.append(f"Its times may be wrong: {'; '.join(summary.timing_doubts)}.")
    said += [f"An MP4 cannot hold {codec} audio; it is now AAC." for codec in summary.recoded_audio]
    return said
