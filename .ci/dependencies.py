"""Prints a table of the direct dependencies with the newest release of each and its date, by PyPI's word.

python .ci/dependencies.py setup.cfg
"""

from __future__ import annotations

import configparser
import json
import re
import sys
import urllib.request
from datetime import datetime, timezone

OLD_DAYS = 730
"""From here on a package may be unmaintained, in days."""


def names(path: str) -> list[str]:
    """Of the packages that a setup.cfg asks for, extras included."""
    config = configparser.ConfigParser()
    config.read(path, encoding="utf-8")
    lines = config["options"]["install_requires"].splitlines()
    for extra in config["options.extras_require"].values():
        lines += extra.splitlines()
    found = (re.match(r"[A-Za-z0-9_.-]+", line.strip()) for line in lines if not line.strip().startswith("#"))
    return sorted({match.group() for match in found if match and not match.group().startswith("live-emotion")})


def newest(name: str) -> tuple[str, datetime]:
    """Version and time of a package's newest release."""
    with urllib.request.urlopen(f"https://pypi.org/pypi/{name}/json", timeout=30) as answer:
        content = json.load(answer)
    times = [datetime.fromisoformat(file["upload_time_iso_8601"].replace("Z", "+00:00")) for file in content["urls"]]
    return content["info"]["version"], max(times)


def main() -> None:
    """Prints the table."""
    print("| package | newest | released | |\n|---|---|---|---|")
    for name in names(sys.argv[1]):
        version, time = newest(name)
        days = (datetime.now(timezone.utc) - time).days
        print(f"| {name} | {version} | {time:%Y-%m-%d} | {'old: is it maintained?' if days > OLD_DAYS else ''} |")


if __name__ == "__main__":
    main()
