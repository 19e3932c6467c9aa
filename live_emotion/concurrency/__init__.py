"""Threads, processes and signals: hand-over, read-ahead, background work, cores."""
