#!/bin/sh
# Turns a fresh clone into a working bin/: installs what is missing, generates, compiles, bundles.
# With --check it ends where src/generated is not what schemas/ make, instead of making it.
set -eu
cd "$(dirname "$0")"
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund
fi
node scripts/generate.mjs "$@"
rm -rf build
node_modules/.bin/tsc
node scripts/bundle.mjs
