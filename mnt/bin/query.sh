#!/bin/sh
# query.sh local|cloud QUERY [FUNCTION [ARGUMENT…]]: call a function, or list them.
where=${1:?local or cloud} && shift && exec "$(dirname "$0")/coflows.sh" "$where" query "$@"
