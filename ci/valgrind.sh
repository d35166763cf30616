#!/usr/bin/env bash
# Runs the Rust tests of the COM face and of KS objects under valgrind: a read or write out of place, a value never set, a
# leak, a double free is a failure. Natively, on Linux; the tests are built by cargo as ever.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null; then
  echo "valgrind is missing; ci/packages.sh installs it" >&2
  exit 1
fi

# Valgrind runs one thread at a time: tests beside each other would only wait, and fairness is not to be hoped for.
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible
  --fair-sched=try --suppressions=ci/valgrind.supp --num-callers=30)

# The unit tests, every test of the statements, the hostile callers. The others run programs of their own (compilers,
# examples), or forbid the system calls that valgrind itself makes.
tests=()
while IFS= read -r name; do
  tests+=(--test "$name")
done < <(cd crates && ls ksobject/tests/s[0-9]*.rs ksobject/tests/hostile*.rs ksproxy/tests/s[0-9]*.rs ksproxy/tests/hostile*.rs \
  ksproxy/tests/session_calls.rs ksproxy/tests/session_misuse.rs | sed 's,.*/,,; s,\.rs$,,' | sort -u)
binaries=()
while IFS= read -r binary; do
  binaries+=("$binary")
done < <(cargo test -p ksobject -p ksproxy --locked --no-run --message-format=json --lib "${tests[@]}" |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
if [ ${#binaries[@]} -eq 0 ]; then
  echo "no test was built" >&2
  exit 1
fi

failed=0
for binary in "${binaries[@]}"; do
  echo "valgrind $(basename "$binary")"
  timeout 240 "${memcheck[@]}" "$binary" --test-threads 1 || failed=1
done
exit $failed
