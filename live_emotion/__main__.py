"""``python -m live_emotion``."""

from live_emotion.cli import main

main()
