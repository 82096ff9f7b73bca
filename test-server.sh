#!/bin/sh
# Builds what is missing, then talks to the built server over stdio and shows what was said.
set -eu
cd "$(dirname "$0")"
newest=$(find src schemas scripts package.json package-lock.json -newer bin/recovery-services-server 2>/dev/null | head -n 1 || true)
if [ ! -x bin/recovery-services-server ] || [ -n "$newest" ]; then
  ./build.sh
fi
exec node scripts/transcript.mjs
