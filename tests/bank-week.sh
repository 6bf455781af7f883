#!/usr/bin/env bash
# Checks the figures of a week of real calls, through the command line: `tests/bank-week.sh FILE`.
set -euo pipefail
if [ $# -ne 1 ] || [ ! -f "$1" ]; then
  echo "usage: tests/bank-week.sh FILE (bank-1999-02-week1.tsv; '${1:-}' is no file)" >&2
  exit 2
fi
week=$(realpath "$1")
cd "$(dirname "$0")/.."
cargo build --quiet --locked --package pegcount-cli
exec python3 tests/python/bank_week.py "${CARGO_TARGET_DIR:-target}/debug/pegcount" "$week"
