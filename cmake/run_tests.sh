#!/usr/bin/env bash
# Runs the C++ tests and the Python tests, both to the end, and fails when either does.
# Shows each as it runs, so that whoever cuts it off sees how far it came, and the closing lines of both last.
set -uo pipefail
build=$1
python=$2
limit=2400       # seconds for each of the two, which take some minutes
status=0
exec </dev/null  # a closed standard input would give its number to the first file that a test opens

limited() { timeout --kill-after=20 $limit "$@"; }

limited ctest --test-dir "$build" --output-on-failure -j2 --timeout 900 2>&1 |
  tee "$build/ctest.log" | grep --line-buffered -vE '^ +Start +[0-9]+:' || status=1

# -X faulthandler: what is aborted for hanging says where.
TAMIZ_BUILD_DIR="$build" PYTHONUNBUFFERED=1 limited "$python" -X faulthandler -m pytest -v -rs tests 2>&1 |
  tee "$build/pytest.log" || status=1

echo
grep -E "tests passed|tests failed" "$build/ctest.log" || echo "ctest did not come to its closing line"
grep -E '^=+ .*(passed|failed|error).* in [0-9.]+s' "$build/pytest.log" || echo "pytest did not come to its closing line"
exit $status
