#!/usr/bin/env bash
# Sets live-emotion up in .venv with what its tests need, and runs them. Arguments go to pytest.
set -euo pipefail
# shellcheck source=quick_start.sh
. "$(dirname "${BASH_SOURCE[0]}")/quick_start.sh"

set_up_venv "[test]"
exec .venv/bin/python -m pytest "$@"
