#!/bin/sh
# What the program answers today to the cases of all blind sets, beside what was expected before the first run.
#   sh docs/blind2/matrix.sh [TEGATA] [RULES]      (default: target/debug/tegata rules)
# Not blind any more: rules were repaired after the first runs, which the RESULTS pages keep as they were.
set -eu
tegata=${1:-target/debug/tegata}
rules=${2:-rules}
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for case in docs/blind*/[0-9]*.toml; do
  day=$(sed -n 's/^# as-of: *\([0-9-]*\).*/\1/p' "$case" | head -1)
  expected=$(sed -n 's/^# expect: *\([a-z_]*\).*/\1/p' "$case" | head -1)
  also=$(sed -n 's/^# also: *\(.*\)/\1/p' "$case" | head -1)
  code=0
  "$tegata" check "$case" --as-of "$day" --rules "$rules" >/dev/null 2>&1 || code=$?
  case $code in
    0) answer=permitted ;; 10) answer=conditional ;; 11) answer=prohibited ;; 12) answer=undetermined ;; 13) answer=out_of_scope ;;
    *) answer=error ;;
  esac
  echo "$case $expected $answer $also" >>"$lines"
done
awk '
  function open(v) { return v == "permitted" || v == "out_of_scope" }
  { n++; same += $2 == $3
    for (i = 4; i <= NF; i++) if (index($i, $3)) { also += $2 != $3; break }
    if ($2 != $3) print $1 ": expected " $2 ", answered " $3 (open($3) && !open($2) ? "   OPENED" : "") }
  !open($2) { shut++; opened += open($3) }
  END { print n " cases: " same " as expected, " also + 0 " more accepted beforehand; of " shut " that should stay shut, " opened + 0 " opened" }
' "$lines"
