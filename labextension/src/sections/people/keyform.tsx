import { Button, HTMLSelect, addIcon, closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { errorText } from '../../api';
import { useServices } from '../../components/context';
import type { Scope, ScopeKind } from '../../rest';
import { Expiry } from './expiry';
import { kindLabels, scopeTargets, scopeText } from './scope';

/** What a new key is for, what it is limited to, and when it ends. */
export function KeyForm(): React.JSX.Element {
  const { people, trans } = useServices();
  const [name, setName] = React.useState('');
  const [expires, setExpires] = React.useState('90d');
  const [scopes, setScopes] = React.useState<Scope[]>([]);
  const [refused, setRefused] = React.useState('');
  const first = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => first.current?.focus(), []);

  const onSubmit = (event: React.FormEvent) => {
    event.preventDefault();
    const wish = { name: name.trim(), expires, scopes: scopes.map(scopeText) };
    people.createKey(wish).catch((error: unknown) => {
      setRefused(errorText(error));
    });
  };
  return (
    <form className="jp-Coflows-peopleForm" aria-label={trans.__('New key')} onSubmit={onSubmit}>
      <label>
        {trans.__('What it is for')}
        <input
          ref={first}
          className="jp-mod-styled"
          value={name}
          placeholder={trans.__('laptop, robot, dashboard…')}
          onChange={event => setName(event.target.value)}
        />
      </label>
      <Expiry label={trans.__('Good')} value={expires} onChange={setExpires} />
      <Scopes scopes={scopes} onChange={setScopes} />
      {refused && (
        <p role="alert" className="jp-Coflows-fieldError">
          {refused}
        </p>
      )}
      <div className="jp-Coflows-actions">
        <Button type="submit" className="jp-mod-styled jp-mod-accept">
          {trans.__('Make the key')}
        </Button>
        <Button
          type="button"
          className="jp-mod-styled jp-Coflows-secondary"
          onClick={() => (people.creating = false)}
        >
          {trans.__('Cancel')}
        </Button>
      </div>
    </form>
  );
}

interface IScopesProps {
  scopes: Scope[];
  onChange: (scopes: Scope[]) => void;
}

/** What a key is limited to; nothing is no limit. */
function Scopes({ scopes, onChange }: IScopesProps): React.JSX.Element {
  const { model, trans } = useServices();
  const workflow = model.workflow;
  const queries = model.catalog?.queries ?? [];
  const of = (kind: ScopeKind): Scope => [
    kind,
    scopeTargets(kind, workflow, queries).at(0)?.value ?? '',
    false
  ];
  const replace = (index: number, scope: Scope) =>
    onChange(scopes.map((old, at) => (at === index ? scope : old)));
  return (
    <fieldset>
      <legend>{trans.__('Good for')}</legend>
      {scopes.length === 0 && (
        <p className="jp-Coflows-muted">{trans.__('Everything that you may.')}</p>
      )}
      {scopes.map((scope, index) => (
        <ScopeRow
          key={index}
          scope={scope}
          onKind={kind => replace(index, of(kind))}
          onChange={changed => replace(index, changed)}
          onRemove={() => onChange(scopes.filter((_, at) => at !== index))}
        />
      ))}
      <button
        type="button"
        className="jp-Coflows-link"
        onClick={() => onChange([...scopes, of('query')])}
      >
        <addIcon.react tag="span" />{' '}
        {scopes.length === 0 ? trans.__('Limit it') : trans.__('And for something else')}
      </button>
    </fieldset>
  );
}

interface IScopeRowProps {
  scope: Scope;
  onKind: (kind: ScopeKind) => void;
  onChange: (scope: Scope) => void;
  onRemove: () => void;
}

function ScopeRow({ scope, onKind, onChange, onRemove }: IScopeRowProps): React.JSX.Element {
  const { model, trans } = useServices();
  const [kind, target, write] = scope;
  const remove = trans.__('Remove the limit');
  return (
    <div className="jp-Coflows-scope" role="group" aria-label={trans.__('Limit')}>
      <HTMLSelect
        aria-label={trans.__('Kind')}
        value={kind}
        onChange={event => onKind(event.currentTarget.value as ScopeKind)}
        options={Object.entries(kindLabels(trans)).map(([value, label]) => ({ value, label }))}
      />
      <HTMLSelect
        aria-label={trans.__('Access')}
        value={write ? 'w' : 'r'}
        onChange={event => onChange([kind, target, event.currentTarget.value === 'w'])}
        options={[
          { value: 'r', label: trans.__('read') },
          { value: 'w', label: trans.__('read and write') }
        ]}
      />
      {kind === 'm' ? (
        <input
          className="jp-mod-styled"
          aria-label={trans.__('Which')}
          required
          value={target}
          onChange={event => onChange([kind, event.target.value.trim(), write])}
        />
      ) : (
        <HTMLSelect
          aria-label={trans.__('Which')}
          value={target}
          onChange={event => onChange([kind, event.currentTarget.value, write])}
          options={scopeTargets(kind, model.workflow, model.catalog?.queries ?? [])}
        />
      )}
      <button
        type="button"
        className="jp-Coflows-icon"
        title={remove}
        aria-label={remove}
        onClick={onRemove}
      >
        <closeIcon.react tag="span" />
      </button>
    </div>
  );
}
