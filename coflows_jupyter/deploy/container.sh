#!/bin/sh
# Runs a container's command as the owner of /app/mnt: the image's user coflows, or who owns the folder mounted there,
# so that what a Workflow writes belongs to that person. It may still listen on the ports below 1024, if root may.
set -eu
owner=$(stat --format %u:%g /app/mnt)
if [ "$(id -u)" != 0 ] || [ "$owner" = 0:0 ]; then
    exec "$@"
fi
chown --recursive "$owner" "$HOME"
drop="setpriv --reuid=${owner%:*} --regid=${owner#*:} --clear-groups --no-new-privs"
low="--inh-caps=+net_bind_service --ambient-caps=+net_bind_service"
# shellcheck disable=SC2086  lists of options
$drop $low true 2>/dev/null || low=
# shellcheck disable=SC2086
exec $drop $low -- "$@"
