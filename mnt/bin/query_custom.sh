#!/bin/sh
# query_custom.sh CONFIG local|cloud QUERY [FUNCTION [ARGUMENT…]]: query.sh with another config.
config=${1:?a config file} where=${2:?local or cloud} && shift 2 && exec "$(dirname "$0")/coflows.sh" --config "$config" "$where" query "$@"
