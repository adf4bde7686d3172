#!/bin/sh
# server.sh [CONFIG]: serve the Workflow.
exec "$(dirname "$0")/coflows.sh" server "$@"
