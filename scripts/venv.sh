#!/bin/sh
# Make .venv, or say in one line what is missing.
set -eu
for python in "${PYTHON:-python3.11}" python3 ""; do
    # Asked, not looked up: a version manager's stub is there even where its Python is not.
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
done
if [ -z "$python" ]; then
    echo "ringback needs Python 3.11 or newer: install it, or make PYTHON=/path/to/python3.11" >&2
    exit 1
fi
[ -x .venv/bin/pip ] && exit 0
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "ringback needs Python's venv module: apt-get install python3-venv" >&2
    exit 1
fi
"$python" -m venv .venv
