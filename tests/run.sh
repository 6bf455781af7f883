#!/usr/bin/env bash
# Installs what the tests need and runs them all, from an empty clone on: `./tests/run.sh`.
# Needs Rust (rust-toolchain.toml says which), Python 3.9 or newer, and Debian's packages for what is missing. Can be run again at any time.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    echo "tests/run.sh: cannot run '$*': not root, and there is no sudo" >&2
    return 1
  fi
}

# The Python client's test has its own environment, so that nothing else on the machine changes.
python_ready() { tests/.venv/bin/python -c 'import grpc, grpc_tools' 2>/dev/null; }
if ! python_ready; then
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv
  fi
  python3 -m venv --clear tests/.venv
  tests/.venv/bin/pip install --quiet --disable-pip-version-check -r tests/python/requirements.txt
  python_ready
fi

# The wallboard's page is tested in a browser. Its Node is one of its packages; npm and Chromium come from the system.
missing=()
if ! command -v npm >/dev/null; then missing+=(nodejs npm); fi
if ! command -v chromium >/dev/null; then missing+=(chromium); fi
if [ ${#missing[@]} -gt 0 ]; then
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# The whole-system tests and those of the page run the binary as a user would, so it is built before them.
cargo build --locked --package pegcount-cli
target="$(cargo metadata --locked --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')"
page=passed
crates/wallboard/web/check-assets.sh || page=failed
PEGCOUNT="$target/debug/pegcount" crates/wallboard/web/test.sh || page=failed
cargo test --locked --workspace --no-fail-fast
if [ "$page" = failed ]; then
  echo "tests/run.sh: the page's tests or the check of its assets failed; see above" >&2
  exit 1
fi
