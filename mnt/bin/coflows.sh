#!/bin/sh
# Runs `coflows`, from PATH or the project's .venv, in the Workflow's folder. The other scripts are its short forms.
cd "$(dirname "$0")/.." || exit 2
for coflows in coflows .venv/bin/coflows ../.venv/bin/coflows; do
    command -v "$coflows" >/dev/null 2>&1 && exec "$coflows" "$@"
done
echo "coflows is neither on PATH nor in .venv: run 'make run' once in the project, or: pip install 'coflows_jupyter[all]'" >&2
exit 2
