#!/usr/bin/env bash
# Sets live-emotion up in .venv with all extras, PyTorch among them, and runs its tests: all of them, with how much of
# the code they run, or what the arguments say: bash run_tests.sh tests/test_api.py -k error
set -euo pipefail
# shellcheck source=quick_start.sh
. "$(dirname "${BASH_SOURCE[0]}")/quick_start.sh"

set_up_venv "[dev]"
[ $# -gt 0 ] || set -- --cov
exec "$(programs .venv)/python" -m pytest "$@"
