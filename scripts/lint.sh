#!/bin/sh
# Runs formatter, linter, layer contracts and the strict type checker from the environment of ./run-tests.
set -eu
cd -- "$(dirname -- "$0")/.."
bin=${MC_VENV:-.venv}/bin
if [ ! -x "$bin/ruff" ]; then
    echo "lint.sh: $bin has no linters yet; ./run-tests --version puts them there" >&2
    exit 1
fi
failed=
stage() {
    name=$1 && shift
    start=$(date +%s)
    if "$@"; then verdict=passed; else verdict=FAILED failed="$failed $name"; fi
    echo "lint.sh: $name $verdict in $(($(date +%s) - start)) s"
}
stage ruff-format "$bin/ruff" format --check --quiet
stage ruff-check "$bin/ruff" check --quiet
stage lint-imports "$bin/lint-imports" --no-logo
stage mypy "$bin/mypy"
[ -z "$failed" ] || { echo "lint.sh: failed:$failed" >&2; exit 1; }
