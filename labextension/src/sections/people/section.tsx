import * as React from 'react';
import { useServices, useSignal } from '../../components/context';
import type { IMe } from '../../rest';
import { CommandIDs } from '../../tokens';
import { AccountForms } from './account';
import { Keys } from './keys';
import { Members } from './members';
import { levelLabel, sourceText } from './text';

/** The People section: who one is, one's keys, and who else may what on the Workflow. */
export function PeopleSection(): React.JSX.Element {
  const { model, people, trans } = useServices();
  useSignal(people.changed);
  const { me, members, problem } = people;
  return (
    <div className="jp-Coflows-section">
      {problem && (
        <p role="alert" className="jp-Coflows-banner">
          {problem}
        </p>
      )}
      {model.workflow && me ? (
        <>
          <Identity me={me} />
          {me.source !== 'anonymous' && <Keys />}
          {members && <Members members={members} />}
        </>
      ) : (
        !problem && <p className="jp-Coflows-muted">{trans.__('No Workflow is open.')}</p>
      )}
    </div>
  );
}

/** Who is at this page, how the server knows, and what they may on each Workflow. */
function Identity({ me }: { me: IMe }): React.JSX.Element {
  const { commands, model, people, trans } = useServices();
  const whole = [me.first_name, me.last_name].filter(Boolean).join(' ');
  // Jupyter gives whoever has its token a name that it makes up.
  const name = me.source === 'lab' ? trans.__('The owner of this server') : me.name;
  const names = new Map(model.workflows.map(({ id, name }) => [id, name]));
  return (
    <section aria-label={trans.__('You')}>
      <header className="jp-Coflows-heading">
        <h3>{whole || name}</h3>
        {me.account && !people.editing && (
          <button
            type="button"
            className="jp-Coflows-link"
            onClick={() => void commands.execute(CommandIDs.editAccount)}
          >
            {trans.__('Edit')}
          </button>
        )}
      </header>
      <p className="jp-Coflows-muted">
        {[me.email, sourceText(me.source, trans)].filter(Boolean).join(' · ')}
      </p>
      {me.account && people.editing && <AccountForms me={me} />}
      <dl className="jp-Coflows-facts">
        {Object.entries(me.permissions).map(([id, level]) => (
          <React.Fragment key={id}>
            <dt>{names.get(id) ?? id}</dt>
            <dd>{levelLabel(level, trans)}</dd>
          </React.Fragment>
        ))}
      </dl>
    </section>
  );
}
