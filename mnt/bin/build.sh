#!/bin/sh
# build.sh local|cloud [CONFIG]: build the Workflow.
exec "$(dirname "$0")/coflows.sh" ${2:+--config "$2"} "$1" build
