"""What damaged, absurd and hostile inputs do to the commands and to the public API.

    python benchmarks/fuzz.py --count 10000 --seed 1
    python benchmarks/fuzz.py --kind tables --count 500 --keep faults     # and keep what led to a fault
    python benchmarks/fuzz.py --kind tables --seed 1 --only 17            # one of them, with what it printed

Makes whole files of every kind, damages them in ways of ``fuzzing/mutate.py``, gives each to a command in a process of
its own, within 6 GB of address space, and counts for each kind:

- traceback: Python's, or an exit other than 0, 1 and 2,
- crash: a signal ended it,
- hang: it used more than 20 seconds of a processor, or did nothing for as long,
- memory: more than 2 GB were in use,
- no number: rows, JSON or pages hold NaN or infinite numbers,
- overwritten: a file is another one that was there before, without ``--force``,
- leftover: a temporary file stays that no message names,
- message: what it says is longer than three lines a file, has control characters, or is a library's.

It needs Linux. The same seed makes the same cases, and a case does not depend on how many there are. Ctrl-C shows what
was found until then.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "fuzzing"))

from cases import CLIENTS, KINDS, MAIN, Case  # noqa: E402
from host import ERRORS, OUTPUT, WITH_TORCH  # noqa: E402
from materials import make_all  # noqa: E402

WITHOUT_TORCH = (MAIN, CLIENTS)
"""Programs that need none."""

LIMIT_S = 20.0

LARGEST_MB = 2000.0

ADDRESS_SPACE = 6_000_000_000
"""In bytes: what ends a process before the machine has no memory left."""

FAULTS = ("traceback", "crash", "hang", "memory", "no number", "overwritten", "leftover", "message")

MOST_LINES = 3
"""Of what is said of a file."""

LONGEST_LINE = 1000

EXITS = (0, 1, 2)

NO_NUMBER = re.compile(r"(?:^|[,:\[ ])-?(?:nan|NaN|inf|Infinity)(?:$|[,\] }])", re.MULTILINE)

NO_NUMBER_IN_PAGE = re.compile(r'(?:points|d|x|y|x1|x2|width|height|style)="[^"]*\b(?:nan|NaN|inf|Infinity)\b|>nan')

FOREIGN = re.compile(
    r"libpng|^TIFF|\[ ?(WARN|ERROR|INFO)|OpenCV|^[IWE]0000|Corrupt JPEG|Premature end|\[\w+ @ |Exception ignored"
    r"|Warning:|terminate called|^W\d{4} |absl|imread",
    re.MULTILINE,
)
"""How what libraries print begins."""

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Host:
    """A process that runs cases of one program; ``utf8`` says whether its file names are in UTF-8."""

    def __init__(self, program: str, utf8: bool) -> None:
        environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        environment |= {"PYTHONUTF8": "1"} if utf8 else {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), str(HERE / "fuzzing")])
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "fuzzing" / "host.py"), *([] if program in WITHOUT_TORCH else [WITH_TORCH])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us
        )
        if self._answer() != "ready":
            raise click.ClickException("the process that runs the cases did not start")

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().decode().strip()

    def run(self, case: Case, folder: Path, logs: Path, limit_s: float) -> dict[str, Any]:
        """Runs a case in a folder; what became of it."""
        limits = {"RLIMIT_AS": ADDRESS_SPACE, "RLIMIT_CORE": 0} | case.limits
        job = asdict(case) | {"folder": str(folder), "logs": str(logs), "limit_s": limit_s, "limits": limits}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._answer())

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


class Hosts:
    """Some for each thread that works, begun when they are needed."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._all: list[Host] = []

    def get(self, program: str, utf8: bool) -> Host:
        """This thread's own."""
        mine = self._local.__dict__.setdefault("hosts", {})
        kind = MAIN if program in WITHOUT_TORCH else "others", utf8
        if kind not in mine:
            mine[kind] = Host(program, utf8)
            self._all.append(mine[kind])
        return mine[kind]

    def close(self) -> None:
        """Ends all."""
        for host in self._all:
            host.close()


def files_of(folder: Path) -> dict[str, str]:
    """Files by their path below a folder, each with a hash of its content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not path.is_symlink():
            found[name] = hashlib.blake2b(path.read_bytes()).hexdigest()
    return found


def judge(case: Case, outcome: dict[str, Any], before: dict[str, str], folder: Path, logs: Path) -> dict[str, str]:
    """The faults of a case, each with what shows it."""
    errors = (logs / ERRORS).read_text("utf-8", "replace")
    output = (logs / OUTPUT).read_text("utf-8", "replace") if (logs / OUTPUT).exists() else ""
    faults = {}
    if outcome["late"]:
        faults["hang"] = f"{outcome['seconds']:.0f} s"
    elif outcome["code"] < 0:
        faults["crash"] = f"signal {-outcome['code']}"
    elif "Traceback (most recent call last)" in errors or outcome["code"] not in EXITS:
        lines = errors.strip().splitlines() or [""]
        faults["traceback"] = f"exit {outcome['code']}: {lines[-1]}"
    if outcome["peak_mb"] > LARGEST_MB:
        faults["memory"] = f"{outcome['peak_mb']:.0f} MB"
    after = files_of(folder)
    changed = [n for n, h in before.items() if after.get(n) != h and not n.startswith(case.own or "\0")]
    if changed:
        faults["overwritten"] = ", ".join(changed)
    new = [n for n in after if n not in before]
    if left := [name for name in new if is_temporary(name) and Path(name).name not in errors]:
        faults["leftover"] = ", ".join(left)
    for argument in filter(NO_NUMBER.fullmatch, case.arguments):  # it may be the name of something
        output = output.replace(argument, "a name")
    if found := find_no_number(folder, new, output):
        faults["no number"] = found
    if not faults and (found := find_fault_of_message(case, errors)):
        faults["message"] = found
    return faults


def is_temporary(name: str) -> bool:
    """Whether a file's name is that of an unfinished one."""
    return bool(re.search(r"(^|/)\..*\.[0-9a-f]{8}(\.|$)|\.part-[0-9a-f]{8}", name))


def find_no_number(folder: Path, new: list[str], output: str) -> str:
    """Where NaN or an infinite number stands in what was written."""
    if match := NO_NUMBER.search(output):
        return f"standard output: {match.group()}"
    for name in new:
        path = folder / name
        if path.suffix in (".csv", ".jsonl", ".json", ".html"):
            pattern = NO_NUMBER_IN_PAGE if path.suffix == ".html" else NO_NUMBER
            if match := pattern.search(path.read_text("utf-8", "replace")):
                return f"{name}: {match.group()}"
    return ""


def find_fault_of_message(case: Case, errors: str) -> str:
    """What is wrong with what was said on standard error."""
    if match := FOREIGN.search(errors):
        return errors[max(0, match.start() - 20) : match.end() + 120].strip()
    if match := CONTROLS.search(errors.replace("\x1b[A", "")):
        return f"control character {match.group()!r}"
    lines = [line for line in errors.splitlines() if line.strip() and not line.startswith(("Usage:", "Try "))]
    said = [line for line in lines if line.startswith(("Error", "Skipped", "Not taken"))]
    if len(lines) > MOST_LINES * max(1, len(said), 3):
        return f"{len(lines)} lines"
    if any(len(line) > LONGEST_LINE for line in lines):
        return f"a line of {max(map(len, lines))} characters"
    return ""


def try_case(kind: str, index: int, seed: int, root: Path, room: Path, hosts: Hosts, keep: Path | None) -> dict:
    """Makes a case, runs it and judges it."""
    chance = random.Random(f"{seed}/{kind}/{index}")
    place = room / f"{kind}-{index}"
    folder, logs = place / "case", place / "logs"
    folder.mkdir(parents=True)
    logs.mkdir()
    case = KINDS[kind](root, folder, chance)
    case.environment["XDG_CONFIG_HOME"] = str(folder / "config")  # whoever runs this keeps their profiles
    before = files_of(folder)
    outcome = hosts.get(case.program, case.utf8).run(case, folder, logs, LIMIT_S)
    folder.chmod(0o755)
    faults = judge(case, outcome, before, folder, logs)
    told = (logs / ERRORS).read_text("utf-8", "replace")
    if faults and keep:
        shutil.copytree(place, keep / place.name, dirs_exist_ok=True)
    shutil.rmtree(place)
    command = [case.program, *(a if len(a) < 200 else f"{a[:200]}..." for a in case.arguments)]
    return {
        **{"kind": kind, "index": index, "command": command, "faults": faults, "told": told[-1500:]},
        **{"limits": case.limits, "stdout": case.stdout, "utf8": case.utf8, **outcome},
    }


def print_table(counts: dict[str, Counter[str]]) -> None:
    """A line for each kind."""
    click.echo(f"{'':10}{'cases':>7}" + "".join(f"{name:>13}" for name in FAULTS))
    for kind, found in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        click.echo(f"{kind:10}{found['cases']:7}" + "".join(f"{found[name] or '':>13}" for name in FAULTS))


def show(result: dict, with_told: bool) -> None:
    """Prints a case, as a line of JSON, and perhaps what it printed itself."""
    shown = {name: result[name] for name in ("kind", "index", "command", "faults", "limits", "stdout", "code")}
    click.echo(json.dumps(shown))
    if with_told:
        click.echo(result["told"])


@click.command()
@click.option("--count", type=click.IntRange(1), default=600, show_default=True, help="Cases, over all kinds.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is by chance.")
@click.option("--kind", "kinds", type=click.Choice(list(KINDS)), multiple=True, help="These alone.")
@click.option("--only", type=click.IntRange(0), help="The case of this index alone, and all that it printed.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), show_default=True, help="Cases at once.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the cases with faults in this folder.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures and faults here.")
def main(
    count: int,
    seed: int,
    kinds: tuple[str, ...],
    only: int | None,
    jobs: int,
    keep: Path | None,
    json_file: Path | None,
) -> None:
    """Count faults over damaged inputs of every kind."""
    chosen = kinds or tuple(KINDS)
    tasks = [(chosen[i % len(chosen)], i // len(chosen)) for i in range(count)]
    if only is not None:
        tasks = [(kind, only) for kind in chosen]
    room = Path(tempfile.mkdtemp())
    hosts, pool, results = Hosts(), ThreadPoolExecutor(jobs), []
    try:
        root = room / "whole"
        root.mkdir()
        room.chmod(0o755)
        make_all(root)
        done = pool.map(lambda task: try_case(*task, seed, root, room, hosts, keep), tasks)
        for result in tqdm(done, total=len(tasks), unit="case", mininterval=1):
            results.append(result)
            if result["faults"] or only is not None:
                with tqdm.external_write_mode():
                    show(result, only is not None)
    except KeyboardInterrupt:
        click.echo("Stopped; this is what was done.", err=True)
    finally:
        pool.shutdown(cancel_futures=True)
        hosts.close()
        shutil.rmtree(room, ignore_errors=True)
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in chosen}
    for result in results:
        counts[result["kind"]].update(["cases", *result["faults"]])
    print_table(counts)
    if json_file:
        found = [result for result in results if result["faults"]]
        json_file.write_text(json.dumps({"seed": seed, "counts": counts, "faults": found}, indent=2))


if __name__ == "__main__":
    main()
