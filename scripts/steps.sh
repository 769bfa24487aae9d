# steps.sh - how scripts/setup and scripts/quickstart run and report their steps.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs
mkdir -p "$logs"
export MXN_START=${MXN_START:-$(date +%s)}

# say TEXT: a line with the seconds since the first script began.
say() { printf '[%4ds] %s\n' $(($(date +%s) - MXN_START)) "$*"; }

die() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# step NAME TEXT COMMAND...: runs a command with its output in build/logs/NAME.log. Its last line is shown every 20 seconds,
# and the end of the log when it fails.
step() {
  local name=$1 text=$2 log=$logs/$1.log status=0 waited=0
  shift 2
  say "$text"
  "$@" >"$log" 2>&1 </dev/null &
  local job=$!
  while kill -0 $job 2>/dev/null; do
    sleep 0.2
    waited=$((waited + 1))
    if ((waited % 100 == 0)); then say "  ... $(tail -c 300 "$log" | tr '\r' '\n' | tail -n 1 | cut -c1-100)"; fi
  done
  wait $job || status=$?
  if ((status)); then
    echo "--- the end of $log" >&2
    tail -n 30 "$log" >&2
    die "this step failed with exit status $status: $text"
  fi
}
