"""Which PyTorch ``quick_start.sh`` takes, tried on an index of two small wheels, with no network."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALL = "9.9.9+cpu"

pytestmark = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="elsewhere PyPI has PyTorch's small build"
)


def make_wheel(folder: Path, name: str) -> None:
    """A wheel with nothing in it, in a package index as PEP 503 wants it."""
    folder.mkdir(parents=True)
    file = folder / f"{name}-{SMALL}-py3-none-any.whl"
    info = f"{name}-{SMALL}.dist-info"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {SMALL}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{file.name}">{file.name}</a>')


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder with the script, an empty virtual environment and an index."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "quick_start.sh", folder)
    subprocess.run([sys.executable, "-m", "venv", folder / ".venv"], check=True)
    for name in ("torch", "torchvision"):
        make_wheel(folder / "index" / name, name)
    return folder


def install(folder, index, path=""):
    """What the script prints when it installs PyTorch, and which one is there then."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    variables = clean | {"PYTORCH_INDEX": index, "PIP_CONFIG_FILE": os.devnull, "PATH": f"{path}:{os.environ['PATH']}"}
    script = ". ./quick_start.sh && install_small_torch"
    done = subprocess.run(["bash", "-ec", script], cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = sorted(file.name for file in folder.glob(".venv/lib/*/site-packages/torch*.dist-info"))
    return done.stdout, there


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="has a GPU")
def test_the_small_pytorch_comes_from_its_own_index_where_that_answers(environment, tmp_path):
    text, there = install(environment, "http://127.0.0.1:9/simple")  # where nobody listens
    assert "no PyTorch to be had at http://127.0.0.1:9/simple; taking the one on PyPI" in text
    assert there == []

    gpu = tmp_path / "nvidia-smi"
    gpu.write_text("#!/bin/sh\n")
    gpu.chmod(0o755)
    index = (environment / "index").as_uri()
    assert install(environment, index, path=str(tmp_path)) == ("", [])

    both = [f"torch-{SMALL}.dist-info", f"torchvision-{SMALL}.dist-info"]
    assert install(environment, index) == ("", both)
    assert install(environment, "http://127.0.0.1:9/simple") == ("", both)  # there is nothing to do
