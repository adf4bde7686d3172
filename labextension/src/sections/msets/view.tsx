import { Button, addIcon, copyIcon, launchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices, useSignal } from '../../components/context';
import { openMenu } from '../../components/menu';
import { CommandIDs } from '../../tokens';
import { EntryDetails } from './entry';
import { Filter } from './filter';
import { ValueForm } from './form';
import type { SetModel } from './set';
import { EntryTable } from './table';
import { columnsOf } from './value';

interface ISetViewProps {
  set: SetModel;
  /** Whether it has a tab of its own. */
  inTab?: boolean;
}

/** One M set: what can be done, what narrows it, its entries, and the one that is open. */
export function SetView({ set, inTab = false }: ISetViewProps): React.JSX.Element {
  const { trans } = useServices();
  useSignal(set.changed);
  const values = set.entries.map(({ value }) => value);
  const columns = columnsOf(values);
  const count = trans._n('%1 entry', '%1 entries', set.entries.length);
  return (
    <div className="jp-Coflows-set">
      <Actions set={set} inTab={inTab} />
      {set.adding && <AddForm set={set} />}
      <Filter set={set} fields={columns.filter(Boolean)} />
      {set.problem && (
        <p role="alert" className="jp-Coflows-banner">
          {set.problem}
        </p>
      )}
      <p role="status" className="jp-Coflows-took">
        {set.more ? trans.__('the first %1 entries', set.entries.length) : count} ·{' '}
        {set.live ? trans.__('live') : trans.__('connecting…')}
      </p>
      {set.entries.length > 0 && <EntryTable set={set} columns={columns} />}
      {set.more && (
        <button type="button" className="jp-Coflows-more" onClick={() => void set.loadMore()}>
          {trans.__('Show more')}
        </button>
      )}
      {set.opened && <EntryDetails key={set.opened.entry} set={set} opened={set.opened} />}
    </div>
  );
}

function Actions({ set, inTab }: Required<ISetViewProps>): React.JSX.Element {
  const { commands, trans } = useServices();
  const { name } = set.id;
  const secondary = 'jp-mod-styled jp-Coflows-secondary';
  return (
    <div className="jp-Coflows-actions">
      <Button className={secondary} onClick={() => (set.adding = true)}>
        <addIcon.react tag="span" /> {trans.__('Add')}
      </Button>
      <Button
        className={secondary}
        aria-haspopup="menu"
        title={trans.__('Copy what is shown as notebook cell or curl')}
        onClick={(event: React.MouseEvent<HTMLElement>) => {
          const { copyMSetCell, copyMSetCurl } = CommandIDs;
          const args = { set: name, conditions: set.conditions.map(one => ({ ...one })) };
          openMenu(commands, event.currentTarget, [copyMSetCell, copyMSetCurl], args);
        }}
      >
        <copyIcon.react tag="span" /> {trans.__('Copy as')}
      </Button>
      {!inTab && (
        <button
          type="button"
          className="jp-Coflows-icon"
          title={trans.__('Open %1 in a tab', name)}
          aria-label={trans.__('Open %1 in a tab', name)}
          onClick={() => void commands.execute(CommandIDs.openMSet, { set: name })}
        >
          <launchIcon.react tag="span" />
        </button>
      )}
    </div>
  );
}

function AddForm({ set }: { set: SetModel }): React.JSX.Element {
  const { trans } = useServices();
  const onSave = async (text: string) => {
    const equal = await set.add(text);
    if (equal !== null) {
      throw new Error(trans.__('An equal value is there already, under %1.', equal));
    }
    set.adding = false;
  };
  return (
    <ValueForm
      label={trans.__('New entry')}
      accept={trans.__('Add the entry')}
      others={set.entries.map(({ value }) => value)}
      onSave={onSave}
      onCancel={() => (set.adding = false)}
    />
  );
}
