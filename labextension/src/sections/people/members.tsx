import { Button, HTMLSelect, addIcon, closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { errorText } from '../../api';
import { useServices } from '../../components/context';
import { notifyFailure } from '../../notify';
import type { IMember, Level } from '../../rest';
import { CommandIDs } from '../../tokens';
import { Expiry } from './expiry';
import { LEVELS, levelLabel } from './text';

/** Who may what on the Workflow; for those who may change that. */
export function Members({ members }: { members: readonly IMember[] }): React.JSX.Element {
  const { trans } = useServices();
  const [adding, setAdding] = React.useState(false);
  return (
    <section aria-label={trans.__('People of the Workflow')}>
      <header className="jp-Coflows-heading">
        <h3>{trans.__('People of the Workflow')}</h3>
        {!adding && (
          <button type="button" className="jp-Coflows-link" onClick={() => setAdding(true)}>
            <addIcon.react tag="span" /> {trans.__('Add')}
          </button>
        )}
      </header>
      {adding && <MemberForm onDone={() => setAdding(false)} />}
      <ul aria-label={trans.__('People')}>
        {members.map(member => (
          <MemberRow key={member.user} member={member} />
        ))}
      </ul>
      {members.length === 0 && !adding && (
        <p className="jp-Coflows-muted">
          {trans.__('Nobody yet. Who has the SecretKey, and Administrators, may everything.')}
        </p>
      )}
    </section>
  );
}

function MemberRow({ member }: { member: IMember }): React.JSX.Element {
  const { commands, people, trans } = useServices();
  const { user, level, expires, source } = member;
  const remove = trans.__('Remove %1', user);
  const set = (level: Level, expires: string) => {
    people.setMember(user, level, expires).catch(notifyFailure);
  };
  return (
    <li className="jp-Coflows-person">
      <span className="jp-Coflows-label" title={user}>
        {user}
      </span>
      {source === 'package' ? (
        <span
          className="jp-Coflows-muted"
          title={trans.__('From Permissions of package.json; what is set here wins.')}
        >
          package.json
        </span>
      ) : (
        <button
          type="button"
          className="jp-Coflows-icon"
          title={remove}
          aria-label={remove}
          onClick={() => void commands.execute(CommandIDs.removeMember, { user })}
        >
          <closeIcon.react tag="span" />
        </button>
      )}
      <span className="jp-Coflows-rights">
        <LevelSelect
          label={trans.__('Level of %1', user)}
          value={level}
          onChange={chosen => set(chosen, expires)}
        />
        <Expiry
          label={trans.__('End of %1', user)}
          value={expires}
          onChange={chosen => set(level, chosen)}
        />
      </span>
    </li>
  );
}

function MemberForm({ onDone }: { onDone: () => void }): React.JSX.Element {
  const { people, trans } = useServices();
  const [user, setUser] = React.useState('');
  const [level, setLevel] = React.useState<Level>(1);
  const [expires, setExpires] = React.useState('');
  const [refused, setRefused] = React.useState('');
  const first = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => first.current?.focus(), []);

  const onSubmit = (event: React.FormEvent) => {
    event.preventDefault();
    people.setMember(user.trim(), level, expires).then(onDone, (error: unknown) => {
      setRefused(errorText(error));
    });
  };
  return (
    <form className="jp-Coflows-peopleForm" aria-label={trans.__('Add')} onSubmit={onSubmit}>
      <label>
        {trans.__('E-mail address or name of the account')}
        <input
          ref={first}
          className="jp-mod-styled"
          required
          spellCheck={false}
          value={user}
          onChange={event => setUser(event.target.value)}
        />
      </label>
      <span className="jp-Coflows-rights">
        <LevelSelect label={trans.__('Level')} value={level} onChange={setLevel} />
        <Expiry label={trans.__('End')} value={expires} onChange={setExpires} />
      </span>
      {refused && (
        <p role="alert" className="jp-Coflows-fieldError">
          {refused}
        </p>
      )}
      <div className="jp-Coflows-actions">
        <Button type="submit" className="jp-mod-styled jp-mod-accept">
          {trans.__('Add')}
        </Button>
        <Button type="button" className="jp-mod-styled jp-Coflows-secondary" onClick={onDone}>
          {trans.__('Cancel')}
        </Button>
      </div>
    </form>
  );
}

interface ILevelSelectProps {
  label: string;
  value: Level;
  onChange: (level: Level) => void;
}

function LevelSelect({ label, value, onChange }: ILevelSelectProps): React.JSX.Element {
  const { trans } = useServices();
  const levels = LEVELS.includes(value) ? LEVELS : [...LEVELS, value];
  return (
    <HTMLSelect
      aria-label={label}
      value={value}
      onChange={event => onChange(Number(event.currentTarget.value) as Level)}
      options={levels.map(level => ({ value: level, label: levelLabel(level, trans) }))}
    />
  );
}
