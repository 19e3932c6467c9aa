"""Files: names, folders, what is read, and writing so that a crash leaves the old one or the new one."""
