#!/usr/bin/env bash
# Runs the C++ tests and the Python tests, both to the end, and fails when either does.
# Prints the closing lines of both last.
set -uo pipefail
build=$1
python=$2
status=0
ctest --test-dir "$build" --output-on-failure -j2 --timeout 900 > "$build/ctest.log" 2>&1 || status=1
grep -E "Failed|\*\*\*|Not Run" "$build/ctest.log" | head -40
[ $status -eq 0 ] || cat "$build/ctest.log"
TAMIZ_BUILD_DIR="$build" "$python" -m pytest -q -rs tests > "$build/pytest.log" 2>&1 || status=1
cat "$build/pytest.log"
echo
grep -E "tests passed|tests failed" "$build/ctest.log"
tail -n 1 "$build/pytest.log"
exit $status
