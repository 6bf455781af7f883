#!/usr/bin/env bash
# Tests the page in Chromium against the real server: `./test.sh`, or `./test.sh test/overview.test.mjs`. Needs npm, Chromium,
# and the binary (`cargo build -p pegcount-cli`, or another one named in PEGCOUNT).
set -euo pipefail
started=$SECONDS
source "$(dirname "$0")/node.sh"
if [ $# = 0 ]; then set -- test/*.test.mjs; fi
node --test --test-concurrency=2 --test-reporter=spec "$@"
echo "the page's tests took $((SECONDS - started)) s"
