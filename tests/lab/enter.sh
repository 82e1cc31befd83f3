#!/bin/sh
# Runs CMD in network, mount and process namespaces of its own, without a way out: `enter.sh CMD [ARGUMENT...]`.
# All of it, every server too, ends with CMD, or when this script is ended. Root gets everything; another user all but
# Postfix; where neither is possible CMD runs outside and the lab's tests skip (or fail, with CI=true).
# Inside: MAILSRV_LAB=inside, and MAILSRV_LAB_OUTSIDE names the namespaces that we came from.
set -u
[ $# -gt 0 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 64; }
[ "${MAILSRV_LAB:-}" != inside ] || exec "$@"

MAILSRV_LAB_OUTSIDE="$(readlink /proc/self/ns/net) $(readlink /proc/self/ns/mnt)"
export MAILSRV_LAB_OUTSIDE

# The inner shell stays as process 1 and reaps what daemons leave behind.
inner='MAILSRV_LAB=inside; export MAILSRV_LAB; PATH=$PATH:/usr/sbin:/sbin ip link set lo up 2>/dev/null; "$@"; exit $?'

# unshare itself holds back SIGTERM; when it is killed the kernel ends everything inside. Ctrl-C is for CMD alone. The
# shell gives what runs in the background an empty standard input and deaf ears: `exec 3` and `env` undo that.
exec 3<&0
inside() {
  unshare "$@" <&3 3<&- &
  child=$!
  trap 'kill -KILL $child' TERM HUP
  trap : INT QUIT
  while kill -0 $child 2>/dev/null; do
    wait $child
    status=$?
  done
  exit $status
}

for flags in '-nmp --fork --kill-child --mount-proc --propagation private' \
             '-Urnmp --fork --kill-child --mount-proc --propagation private' \
             '-Urnm --propagation private'; do
  # shellcheck disable=SC2086 # the flags are words
  if unshare $flags true 2>/dev/null; then
    inside $flags env --default-signal=INT --default-signal=QUIT sh -c "$inner" sh "$@"
  fi
done
echo "enter.sh: no namespace of our own is to be had here (unshare is refused): running outside, without the lab" >&2
exec 3<&-
exec "$@"
