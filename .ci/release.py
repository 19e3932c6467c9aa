"""What .ci/release writes with Python: the bill of materials' root, and the notes that a release is published with.

python .ci/release.py root WHEEL >pyproject.toml
python .ci/release.py notes TARGET ENVIRONMENT AUDIT.json LICENCES.json
"""

from __future__ import annotations

import configparser
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

OLD_DAYS = 730
"""From here on a package may be unmaintained, in days."""

PUBLIC_INDEX = "https://pypi.org/simple"

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
"""What an index is asked for (PEP 691); it tells the time of each upload (PEP 700)."""

HELD = {
    "mediapipe": "later ones call home while a detector runs",
    "onnxruntime": "later ones send telemetry",
}
"""Why an older release than the newest is used."""

NOT_PERMISSIVE = re.compile(r"GPL|MPL|EPL|proprietary|LicenseRef|unknown|^$", re.IGNORECASE)

LIBRARIES = {
    "avcodec": "FFmpeg, LGPL-2.1-or-later, or as it is built",
    "x264": "x264, GPL-2.0-or-later",
    "x265": "x265, GPL-2.0-or-later",
    "heif": "libheif, LGPL-3.0-or-later",
    "de265": "libde265, LGPL-3.0-or-later",
    "mp3lame": "LAME, LGPL-2.0-or-later",
    "gnutls": "GnuTLS, LGPL-2.1-or-later",
    "nettle": "Nettle, LGPL-3.0-or-later or GPL-2.0-or-later",
    "gmp": "GMP, LGPL-3.0-or-later or GPL-2.0-or-later",
    "unistring": "libunistring, LGPL-3.0-or-later or GPL-2.0-or-later",
    "asound": "ALSA, LGPL-2.1-or-later",
    "Qt5Core": "Qt 5, LGPL-3.0",
    "gfortran": "libgfortran, GPL-3.0-or-later with the GCC runtime exception",
    "quadmath": "libquadmath, LGPL-2.1-or-later",
}
"""Libraries with copyleft that wheels hold in files named lib<key>-<hash>.so, .dylib or .dll."""

LIBRARY = re.compile(rf"(?:lib)?({'|'.join(LIBRARIES)})[-.\d]*(?:-?[0-9a-f]*)[\w.-]*\.(?:so|dylib|dll)\b")


def main() -> None:
    """Does what the command line says."""
    task, *arguments = sys.argv[1:]
    if task == "root":
        print(root(Path(arguments[0])), end="")
        return
    target, environment, audit, licences = map(Path, arguments)
    [wheel] = target.glob("*.whl")
    complete_bill(target / "sbom.json", wheel)
    packages = {canonical(row["Name"]): row for row in json.loads(licences.read_text(encoding="utf-8"))}
    problems, vulnerabilities = audited(audit)
    notes = [
        f"# live-emotion {metadata(wheel)['Version']}",
        *changes(metadata(wheel)["Version"]),
        "## Files",
        table(("file", "SHA-256"), ((f"`{name}`", f"`{digest}`") for name, digest in digests(target, wheel))),
        "## Known vulnerabilities",
        vulnerabilities,
        "## Licences of what it needs",
        licence_notes(environment, packages),
        "## Direct dependencies",
        *dependencies("setup.cfg", {name: row["Version"] for name, row in packages.items()}, problems),
    ]
    (target / "notes.md").write_text("\n\n".join(notes) + "\n", encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))


def canonical(name: str) -> str:
    """A package's name as indexes have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def metadata(wheel: Path) -> Any:
    """Of a wheel, by the names of its fields."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(archive.read(name).decode())


def root(wheel: Path) -> str:
    """A pyproject.toml that says of the wheel what the bill of materials is to say of its root."""
    about = metadata(wheel)
    fields = {"name": "Name", "version": "Version", "description": "Summary", "license": "License-Expression"}
    return "[project]\n" + "".join(f"{key} = {json.dumps(about[field])}\n" for key, field in fields.items())


def digests(target: Path, wheel: Path) -> Iterator[tuple[str, str]]:
    """Names and SHA-256 of the wheel, its bill of materials, and the weights in the wheel."""
    for file in (wheel, target / "sbom.json"):
        yield file.name, hashlib.sha256(file.read_bytes()).hexdigest()
    yield from models(wheel)


def models(wheel: Path) -> Iterator[tuple[str, str]]:
    """The weights in a wheel and their SHA-256, which is looked at.

    Raises:
        SystemExit: the list in the wheel says otherwise.
    """
    with zipfile.ZipFile(wheel) as archive:
        folder = "live_emotion/weights/"
        noted = dict(line.split()[::-1] for line in archive.read(f"{folder}SHA256SUMS.txt").decode().splitlines())
        for name in sorted(noted):
            if hashlib.sha256(archive.read(folder + name)).hexdigest() != noted[name]:
                sys.exit(f"{name} in the wheel is not the one whose SHA-256 is noted.")
            yield f"weights/{name}", noted[name]


def complete_bill(path: Path, wheel: Path) -> None:
    """Adds to a bill of materials what no package's metadata say: the wheel's hash, what it needs, and its weights."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bill = json.loads(path.read_text(encoding="utf-8"))
    whole = bill["metadata"]["component"]
    whole["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    [needs] = [each for each in bill["dependencies"] if each["ref"] == whole["bom-ref"]]
    wanted = set(map(canonical, direct("setup.cfg")))
    refs = {each["bom-ref"] for each in bill["components"] if canonical(each["name"]) in wanted}
    for name, digest in models(wheel):
        licence = {"id": "Apache-2.0"} if name.endswith(".tflite") else {"name": "LicenseRef-live-emotion-weights"}
        bill["components"].append(
            {
                "type": "machine-learning-model",
                "bom-ref": name,
                "name": name,
                "version": whole["version"],
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "licenses": [{"license": licence}],
            }
        )
        bill["dependencies"].append({"ref": name})
        refs.add(name)
    needs["dependsOn"] = sorted(refs)
    text = json.dumps(bill, indent=2)
    if error := JsonStrictValidator(SchemaVersion.from_version(bill["specVersion"])).validate_str(text):
        sys.exit(f"The bill of materials is none by its schema: {error}")
    path.write_text(text + "\n", encoding="utf-8")


def changes(version: str) -> list[str]:
    """The changelog's part about a version."""
    text = Path("CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(version)}\b.*\n+((?:(?!## ).*\n)*)", text, re.MULTILINE)
    return ["## Changes", found[1].strip()] if found else []


def audited(path: Path) -> tuple[list[str], str]:
    """What pip-audit wrote, for people to read, and what of it must not be passed over."""
    try:
        packages = json.loads(path.read_text(encoding="utf-8"))["dependencies"]
    except (OSError, ValueError, KeyError):
        line = "pip-audit could not look for known vulnerabilities: no service answered."
        return [line], line
    packages = [each for each in packages if canonical(each["name"]) != "live-emotion"]
    skipped = sorted(each["name"] for each in packages if "skip_reason" in each)
    bad = [each for each in packages if each.get("vulns")]
    asked = len(packages) - len(skipped)
    problems, text = [], f"pip-audit looked at {asked} packages at the versions that were installed"
    if bad:
        problems.append(f"Known vulnerabilities: {', '.join(each['name'] for each in bad)}; see notes.md.")
        rows = [
            (each["name"], each["version"], one["id"], ", ".join(one.get("fix_versions", ())) or "none yet")
            for each in bad
            for one in each["vulns"]
        ]
        text += ":\n\n" + table(("package", "version", "vulnerability", "fixed in"), rows)
    else:
        text += " and found none." if asked else "."
    if skipped and not asked:
        text = f"**The service knows nothing about any of the {len(packages)} packages: none was audited.**"
        problems.append(text.strip("*"))
    elif skipped:
        line = f"The service knows nothing about {len(skipped)} of {len(packages)} packages"
        problems.append(f"{line}, which were not audited.")
        text += f"\n\n**{line}, which were not audited:** {', '.join(skipped)}."
    return problems, text


def licence_notes(environment: Path, packages: Mapping[str, Mapping[str, str]]) -> str:
    """Of all packages, those first that oblige those who pass them on to more than naming their authors."""
    held = bundled(environment)
    said = {name: re.sub("UNKNOWN", "not said", row["License"]) for name, row in packages.items()}
    notable = [
        (row["Name"], said[name], "; ".join(held.get(name, ())))
        for name, row in packages.items()
        if name != "live-emotion" and (held.get(name) or NOT_PERMISSIVE.search(row["License"]))
    ]
    rows = [
        (row["Name"], row["Version"], said[name], re.sub("UNKNOWN", "", row["URL"]))
        for name, row in sorted(packages.items())
        if name != "live-emotion"
    ]
    return "\n\n".join(
        (
            "live-emotion itself: NOTICE in the wheel says what its weights may be used for.",
            f"Of the packages that `pip install` brings on {sys.platform}, these have copyleft, are not free, do not "
            "say it, or hold libraries with copyleft in their wheels:",
            table(("package", "licence by its metadata", "libraries in its wheel"), notable),
            "All of them:",
            table(("package", "version", "licence", "home"), rows),
        )
    )


def bundled(environment: Path) -> dict[str, list[str]]:
    """The libraries with copyleft that lie in each package, by its name."""
    found: dict[str, set[str]] = {}
    for record in environment.rglob("*.dist-info/RECORD"):
        name = canonical(record.parent.name.split("-")[0])
        for line in record.read_text(encoding="utf-8").splitlines():
            if library := LIBRARY.match(line.split(",")[0].rpartition("/")[2]):
                found.setdefault(name, set()).add(LIBRARIES[library[1]])
    return {name: sorted(libraries) for name, libraries in found.items()}


def dependencies(path: str, here: Mapping[str, str], problems: list[str]) -> Iterator[str]:
    """A table of the direct dependencies, the newest release of each and its date, by pip's own index."""
    rows, unknown, old = [], [], []
    for name, extra in direct(path).items():
        version, time = newest(name)
        used = here.get(canonical(name), "")
        note = HELD.get(canonical(name), "") if version and used != version else ""
        if time is None:
            unknown.append(name)
        elif (datetime.now(timezone.utc) - time).days > OLD_DAYS:
            old.append(name)
            note = "**no release for two years**: is it maintained?"
        rows.append((name, extra or "everybody", used, version or "?", f"{time:%Y-%m-%d}" if time else "?", note))
    yield table(("package", "for", "here", "newest", "released", ""), rows)
    yield f"Without a release for two years: {', '.join(old) or 'none'}."
    if unknown:
        line = f"The package index does not tell when these were released: {', '.join(unknown)}."
        problems.append(line)
        yield line


def direct(path: str) -> dict[str, str]:
    """The packages that a setup.cfg asks for, and which extra asks for each; all users need those of none."""
    config = configparser.ConfigParser()
    config.read(path, encoding="utf-8")
    found: dict[str, str] = {}
    needs = {"": config["options"]["install_requires"], **config["options.extras_require"]}
    for extra, lines in needs.items():
        for line in map(str.strip, lines.splitlines()):
            name = re.match(r"[A-Za-z0-9_.-]+", line)
            if name and name[0] != "live-emotion":
                found.setdefault(name[0], extra)
    return found


def newest(name: str) -> tuple[str, datetime | None]:
    """Version and time of a package's newest release; empty and None where the index does not tell."""
    import requests
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    index, certificates = pip_setting("index-url", PUBLIC_INDEX).rstrip("/"), pip_setting("cert", "")
    try:
        answer = requests.get(
            f"{index}/{canonical(name)}/", headers={"Accept": SIMPLE_JSON}, timeout=30, verify=certificates or True
        )
        answer.raise_for_status()
        files = answer.json()["files"]
    except (requests.RequestException, ValueError, KeyError):
        return "", None
    releases = []
    for file in files:
        try:
            is_wheel = file["filename"].endswith(".whl")
            version = (parse_wheel_filename if is_wheel else parse_sdist_filename)(file["filename"])[1]
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue
        if not version.is_prerelease and not file.get("yanked"):
            releases.append((version, file.get("upload-time", "")))
    if not releases:
        return "", None
    version, time = max(releases)
    return str(version), datetime.fromisoformat(time.replace("Z", "+00:00")) if time else None


def pip_setting(name: str, otherwise: str) -> str:
    """What pip is told by its files and the environment; what a command or the environment says goes first."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    found = dict(re.findall(rf"^([\w:]+)\.{name}='(.*)'$", listed.stdout, re.MULTILINE))
    return next((found[place] for place in (":env:", "install", "global") if place in found), otherwise)


if __name__ == "__main__":
    main()
