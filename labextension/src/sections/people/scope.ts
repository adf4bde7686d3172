import type { TranslationBundle } from '@jupyterlab/translation';
import type { IQuery, Scope, ScopeKind } from '../../rest';

interface INamed {
  id: string;
  name: string;
}

/** A scope as the server reads it. */
export function scopeText([kind, target, write]: Scope): string {
  return `${kind}:${target}:${write ? 'w' : 'r'}`;
}

/** What a scope of a kind may name in a Workflow, with what to call it; an M set is named freely. */
export function scopeTargets(
  kind: ScopeKind,
  workflow: INamed | null,
  queries: readonly IQuery[]
): { value: string; label: string }[] {
  if (!workflow) {
    return [];
  }
  switch (kind) {
    case 'workflow':
      return [{ value: workflow.id, label: workflow.name }];
    case 'query':
      return queries.map(({ id }) => ({ value: `${workflow.id}/${id}`, label: id }));
    case 'function':
      return queries.flatMap(({ id, functions }) =>
        functions.map(({ name }) => ({
          value: `${workflow.id}/${id}/${name}`,
          label: `${id}.${name}`
        }))
      );
    case 'm':
      return [];
  }
}

/**
 * A scope as people read it.
 *
 * @param workflow - the one that is shown and goes without saying.
 */
export function describeScope(
  [kind, target, write]: Scope,
  workflow: INamed | null,
  trans: TranslationBundle
): string {
  const access = write ? trans.__('read and write') : trans.__('read');
  const prefix = workflow ? `${workflow.id}/` : '';
  const here = target.startsWith(prefix) ? target.slice(prefix.length) : target;
  const name = target === workflow?.id ? workflow.name : here.replaceAll('/', '.');
  return `${kindLabels(trans)[kind]} ${kind === 'm' ? target : name}: ${access}`;
}

export function kindLabels(trans: TranslationBundle): Record<ScopeKind, string> {
  return {
    function: trans.__('Function'),
    query: trans.__('Query'),
    workflow: trans.__('Workflow'),
    m: trans.__('M set')
  };
}
