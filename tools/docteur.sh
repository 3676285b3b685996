#!/bin/sh
# docteur of this checkout, which is built when it is first used: for actions and hooks, which only clone a repository.
set -eu
root=$(dirname "$0")/..
program=$root/dist/tools/docteur.js
if [ ! -f "$program" ]; then (cd "$root" && npm ci --silent && npm run --silent build) >&2; fi
exec node "$program" "$@"
