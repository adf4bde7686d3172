#!/bin/sh
# cloud_remove.sh [CONFIG]: remove on the server of the Cloud section.
exec "$(dirname "$0")/coflows.sh" ${1:+--config "$1"} cloud remove
