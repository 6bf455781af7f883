#!/usr/bin/env bash
# Builds the page into ../assets and the list of it into ../src/files.rs. Another folder instead: `./build.sh FOLDER`.
set -euo pipefail
target=$(realpath -m "${1:-$(dirname "$0")/..}")
source "$(dirname "$0")/node.sh"
rm -rf src/gen
buf generate
tsc
vite build --logLevel error
node scripts/pack.mjs "$target"
