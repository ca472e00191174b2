#!/bin/sh
# Make .venv, or say in one line what is missing.
set -eu
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null 2>&1 || python=python3
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "ringback needs Python 3.11 or newer: install it, or make PYTHON=/path/to/python3.11" >&2
    exit 1
fi
[ -x .venv/bin/python ] && exit 0
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "ringback needs Python's venv module: apt-get install python3-venv" >&2
    exit 1
fi
"$python" -m venv .venv
