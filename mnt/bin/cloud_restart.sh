#!/bin/sh
# cloud_restart.sh [CONFIG]: restart on the server of the Cloud section.
exec "$(dirname "$0")/coflows.sh" ${1:+--config "$1"} cloud restart
