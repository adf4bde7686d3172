#!/bin/sh
# cloud_log.sh [CONFIG]: log on the server of the Cloud section.
exec "$(dirname "$0")/coflows.sh" ${1:+--config "$1"} cloud log
