#!/bin/sh
# azure_remove.sh [local] [CONFIG]: remove the Azure Container Instance.
[ "$1" = local ] && shift; exec "$(dirname "$0")/coflows.sh" ${1:+--config "$1"} azure remove
