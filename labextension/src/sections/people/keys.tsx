import { Button, addIcon, copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices } from '../../components/context';
import type { IKey, INewKey } from '../../rest';
import { CommandIDs } from '../../tokens';
import { KeyForm } from './keyform';
import { describeScope } from './scope';
import { keyText } from './text';

/** One's keys, and the way to a new one. */
export function Keys(): React.JSX.Element {
  const { commands, people, trans } = useServices();
  return (
    <section aria-label={trans.__('My keys')}>
      <header className="jp-Coflows-heading">
        <h3>{trans.__('My keys')}</h3>
        {!people.creating && (
          <button
            type="button"
            className="jp-Coflows-link"
            onClick={() => void commands.execute(CommandIDs.newKey)}
          >
            <addIcon.react tag="span" /> {trans.__('New key')}
          </button>
        )}
      </header>
      {people.made && <NewKey made={people.made} />}
      {people.creating && <KeyForm />}
      <ul aria-label={trans.__('Keys')}>
        {people.keys.map(key => (
          <KeyRow key={key.id} item={key} />
        ))}
      </ul>
      {people.keys.length === 0 && !people.creating && (
        <p className="jp-Coflows-muted">
          {trans.__('You have none. Programs call functions with a key.')}
        </p>
      )}
    </section>
  );
}

/** The text of a key, this once. */
function NewKey({ made }: { made: INewKey }): React.JSX.Element {
  const { commands, people, trans } = useServices();
  const text = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => text.current?.select(), [made]);
  return (
    <div role="group" aria-label={trans.__('The new key')} className="jp-Coflows-newKey">
      <p>{trans.__('This is your key. It is shown this once and can be found nowhere later.')}</p>
      <input
        ref={text}
        className="jp-mod-styled"
        aria-label={trans.__('Key')}
        readOnly
        spellCheck={false}
        value={made.key}
        onFocus={event => event.target.select()}
      />
      <div className="jp-Coflows-actions">
        <Button
          className="jp-mod-styled jp-mod-accept"
          onClick={() => void commands.execute(CommandIDs.copyNewKey)}
        >
          <copyIcon.react tag="span" /> {trans.__('Copy')}
        </Button>
        <Button className="jp-mod-styled jp-Coflows-secondary" onClick={() => people.putAway()}>
          {trans.__('Done')}
        </Button>
      </div>
    </div>
  );
}

function KeyRow({ item }: { item: IKey }): React.JSX.Element {
  const { commands, model, trans } = useServices();
  const name = item.name || (item.kind === 'token' ? trans.__('log-in') : item.id);
  const scopes = item.scopes.map(scope => describeScope(scope, model.workflow, trans));
  return (
    <li className="jp-Coflows-person">
      <span className="jp-Coflows-label" title={trans.__('Key %1', item.id)}>
        {name}
      </span>
      <button
        type="button"
        className="jp-Coflows-link"
        aria-label={trans.__('Revoke %1', name)}
        onClick={() => void commands.execute(CommandIDs.revokeKey, { key: item.id })}
      >
        {trans.__('Revoke')}
      </button>
      <span className="jp-Coflows-by">{keyText(item, Date.now(), trans)}</span>
      {scopes.map(text => (
        <span key={text} className="jp-Coflows-by" title={text}>
          {text}
        </span>
      ))}
    </li>
  );
}
