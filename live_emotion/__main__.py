"""``python -m live_emotion``."""

from live_emotion.cli.main import main

main()
