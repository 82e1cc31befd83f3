#!/bin/bash
# mailsrv beside Postfix + Dovecot in one run: rate, CPU of every process, fsyncs, memory, and IMAP.
#   BENCH_TOOLS=DIR tests/bench/beside.sh [smtp|smtp-auth|imap] [ARGUMENT...]     DIR: the harness, with its setup.sh already run
# smtp-auth: Postfix + Dovecot as in smtp, which ask nobody where mail comes from; then mailsrv, which does, on the lab's DNS.
# Loopback only. Root is needed, for cgroups and strace. Arguments go to the harness, e.g. --matrix smoke --reps 1.
set -eu
cd "$(dirname "$0")/../.."
[ -n "${BENCH_TOOLS:-}" ] && [ -d "$BENCH_TOOLS" ] || { echo "beside.sh: name the harness: BENCH_TOOLS=DIR" >&2; exit 64; }
VENV=${VENV:-$PWD/.venv}
export OURS_CMD="${OURS_CMD:-$VENV/bin/mailsrv serve --config {config}}" OURS_CONFIG="${OURS_CONFIG:-$PWD/tests/bench/beside.yml}"
harness=${BENCH_DIR:-${TMPDIR:-/tmp}/mailsrv-bench}/venv/bin/python
what=${1:-smtp}; shift || true
case $what in
  smtp) exec "$harness" "$BENCH_TOOLS/bench_smtp.py" --peer postfix-maildir --peer ours --fsyncs "$@" ;;
  smtp-auth)
    "$harness" "$BENCH_TOOLS/bench_smtp.py" --peer postfix-maildir "$@"
    LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/mailsrv-beside.XXXXXX") # a disk, as Postfix has
    export LAB_DIR
    trap 'rm -rf "$LAB_DIR"' EXIT
    tests/lab/enter.sh "$VENV/bin/python" -m tests.bench.authenticated 2KB 1MB ;;
  imap)
    "$harness" "$BENCH_TOOLS/bench_imap.py" --peer dovecot-lmtp-sdbox --sizes 10000,50000 "$@"
    exec "$harness" "$BENCH_TOOLS/bench_imap.py" --peer ours --sizes 10000,50000 "$@" ;;
  *) echo "beside.sh: smtp, smtp-auth or imap, not $what" >&2; exit 64 ;;
esac
