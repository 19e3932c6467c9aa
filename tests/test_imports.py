"""Who may import whom, and what a quick look must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "mediapipe", "cv2", "av", "matplotlib", "scipy")


def imported_modules(file: Path) -> set[str]:
    """Full names of the project's modules that a file imports, at the top or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    known = {module_name(path) for path in sources()}
    return {name for name in names if name in known}


def sources() -> list[Path]:
    return [*(ROOT / "live_emotion").rglob("*.py"), *(ROOT / "train").rglob("*.py")]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_live_emotion_never_imports_train():
    for file in (ROOT / "live_emotion").rglob("*.py"):
        assert not {n for n in imported_modules(file) if n.split(".")[0] == "train"}, file


def test_imports_have_no_cycle():
    # the package's own __init__ names its parts lazily
    graph = {module_name(p): imported_modules(p) for p in sources() if p.name != "__init__.py"}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for other in graph.get(module, ()):
                visit(other, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize(("module", "only"), [("mediapipe", "detector.py"), ("torch.load", "checkpoint.py")])
def test_what_has_one_home(module, only):
    users = {f.name for f in sources() if f"import {module}" in (text := f.read_text()) or f"{module}(" in text}
    users |= {f.name for f in sources() if f"from {module}" in f.read_text()}
    assert users == {only}


@pytest.mark.parametrize(
    "code",
    [
        "import live_emotion",
        "from live_emotion.cli.main import cli; cli.main(['--help'], standalone_mode=False)",
        "from live_emotion.cli.main import cli; cli.main(['webcam', '--help'], standalone_mode=False)",
        "from live_emotion.cli.main import cli; cli.main(['image', '--help'], standalone_mode=False)",
        "from live_emotion.cli.main import cli; cli.main(['video', '--help'], standalone_mode=False)",
        "from train.cli.main import cli; cli.main(['--help'], standalone_mode=False)",
    ],
)
def test_a_quick_look_loads_nothing_heavy(code):
    check = f"import sys; {code}; print('loaded', [m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "loaded []" in done.stdout
