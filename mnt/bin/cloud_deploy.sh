#!/bin/sh
# cloud_deploy.sh [CONFIG]: deploy on the server of the Cloud section.
exec "$(dirname "$0")/coflows.sh" ${1:+--config "$1"} cloud deploy
