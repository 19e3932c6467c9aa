#!/usr/bin/env bash
# Sets live-emotion up in .venv and starts it: the webcam where there are a camera and a display, else the demo.
# Arguments go to live-emotion: bash quick_start.sh image photo.jpg
# Training needs PyTorch, which comes with it: bash quick_start.sh train --data faces
# PYTHON=python3.12 bash quick_start.sh takes that Python. On Windows this runs in Git Bash.
set -euo pipefail

find_python() {
    local name
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3.10 python3.14 python3 python}; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "Found no Python 3.10 or newer with its venv module." >&2
    echo "Install one: https://www.python.org/downloads, or on Debian and Ubuntu: sudo apt install python3-venv" >&2
    return 1
}

# programs DIR: the folder of a virtual environment's programs, which Windows calls otherwise.
programs() { if [ -d "$1/Scripts" ]; then echo "$1/Scripts"; else echo "$1/bin"; fi; }

# set_up_venv EXTRAS: makes .venv and installs the project with EXTRAS ("" or "[dev]"). The second time there is
# nothing to do, unless setup.cfg or pyproject.toml changed.
set_up_venv() {
    local extras=$1 stamp=.venv/installed-${1//[^a-z]/} wanted python
    wanted=$(cat setup.cfg pyproject.toml | cksum)
    if ! "$(programs .venv)/python" -c '' 2>/dev/null; then
        python=$(find_python)
        echo "Making a virtual environment in .venv with $("$python" --version)."
        rm -rf .venv
        "$python" -m venv .venv
    elif [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    echo "Installing live-emotion$extras. The first time this takes a while."
    [ -z "$extras" ] || install_small_torch
    if ! pip_install --editable ".$extras"; then
        echo "The installation failed, see above. It needs a connection and 1 GB of disk, for training up to 8 GB." >&2
        return 1
    fi
    echo "$wanted" >"$stamp"
}

pip_install() { "$(programs .venv)/python" -m pip install --quiet --disable-pip-version-check "$@"; }

# install_small_torch: where there is no NVIDIA GPU, PyTorch's build for processors, a tenth of the size of what PyPI has
# for Linux. PYTORCH_INDEX=URL takes it from there. Where it cannot be had within moments, pip gets PyPI's afterwards.
install_small_torch() {
    local index=${PYTORCH_INDEX:-https://download.pytorch.org/whl/cpu}
    [ "$(uname -sm)" = "Linux x86_64" ] && ! command -v nvidia-smi >/dev/null 2>&1 || return 0
    ! "$(programs .venv)/python" -c 'from importlib.metadata import version; version("torchvision")' 2>/dev/null || return 0
    if ! pip_install --index-url "$index" --timeout 10 --retries 0 --no-deps torch torchvision 2>/dev/null; then
        echo "There is no PyTorch to be had at $index; taking the one on PyPI, which is larger."
    fi
}

has_display() { [ "$(uname)" != Linux ] || [ -n "${DISPLAY:-}" ]; }
has_camera() { [ "$(uname)" != Linux ] || compgen -G '/dev/video*' >/dev/null; }

started=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
[ "${BASH_SOURCE[0]}" = "$0" ] || return 0 # other scripts read this file for its functions

if [ "${1:-}" = train ]; then
    set_up_venv "[train]"
    command=$PWD/$(programs .venv)/live-emotion-train
    cd "$started" # files are named from where the user is
    exec "$command" "${@:2}"
fi
set_up_venv ""
command=$PWD/$(programs .venv)/live-emotion
cd "$started"
if [ $# -gt 0 ]; then
    exec "$command" "$@"
elif has_display && has_camera; then
    echo "Opening the webcam; q or Esc ends it."
    exec "$command" webcam
fi
echo "No camera with a display here, so this is the demo. The webcam starts with: $command webcam"
"$command" demo --output results
echo "The results are in $PWD/results: look at demo.mp4 and demo_example.png."
