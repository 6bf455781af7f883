#!/usr/bin/env bash
# Builds the page again and fails if what is committed differs.
set -euo pipefail
cd "$(dirname "$0")"
again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
./build.sh "$again"
if ! diff -r ../assets "$again/assets" || ! diff ../src/files.rs "$again/src/files.rs"; then
  echo "the built page differs from its source: run crates/wallboard/web/build.sh and commit what it changes" >&2
  exit 1
fi
