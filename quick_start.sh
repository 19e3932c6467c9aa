#!/usr/bin/env bash
# Sets live-emotion up in .venv and starts it: the webcam where there are a camera and a display, else the demo.
# Arguments go to live-emotion: bash quick_start.sh image photo.jpg
set -euo pipefail

find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3.10 python3.14 python3 python; do
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

# set_up_venv EXTRAS: makes .venv and installs the project with EXTRAS ("" or "[test]"). The second time there is
# nothing to do, unless setup.cfg or pyproject.toml changed.
set_up_venv() {
    local extras=$1 stamp=.venv/installed-${1//[^a-z]/} wanted python
    wanted=$(cat setup.cfg pyproject.toml | cksum)
    if ! .venv/bin/python -c '' 2>/dev/null; then
        python=$(find_python)
        echo "Making a virtual environment in .venv with $("$python" --version)."
        rm -rf .venv
        "$python" -m venv .venv
    elif [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    echo "Installing live-emotion. The first time this fetches PyTorch, which takes some minutes."
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".$extras"; then
        echo "The installation failed, see above. It needs a connection, and on Linux up to 8 GB of disk." >&2
        return 1
    fi
    echo "$wanted" >"$stamp"
}

has_display() { [ "$(uname)" = Darwin ] || [ -n "${DISPLAY:-}" ]; }
has_camera() { [ "$(uname)" = Darwin ] || compgen -G '/dev/video*' >/dev/null; }

cd "$(dirname "${BASH_SOURCE[0]}")"
[ "${BASH_SOURCE[0]}" = "$0" ] || return 0 # run_tests.sh reads this file for its functions

set_up_venv ""
if [ $# -gt 0 ]; then
    exec .venv/bin/live-emotion "$@"
elif has_display && has_camera; then
    echo "Opening the webcam; q or Esc ends it."
    exec .venv/bin/live-emotion webcam
fi
echo "No camera with a display here, so this is the demo. The webcam starts with: .venv/bin/live-emotion webcam"
.venv/bin/live-emotion demo --output results
echo "The results are in $PWD/results: look at demo.mp4 and prediction_example.png."
