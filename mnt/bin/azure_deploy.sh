#!/bin/sh
# azure_deploy.sh [local] [CONFIG]: deploy the Azure Container Instance.
[ "$1" = local ] && shift; exec "$(dirname "$0")/coflows.sh" ${1:+--config "$1"} azure deploy
