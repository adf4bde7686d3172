import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';
import { errorText } from '../../api';
import { useServices } from '../../components/context';
import { notifyDone } from '../../notify';
import type { IMe } from '../../rest';

/** What a person changes about their own account: what they are called, and their password. */
export function AccountForms({ me }: { me: IMe }): React.JSX.Element {
  const { people, trans } = useServices();
  return (
    <div className="jp-Coflows-peopleForm">
      <NameForm me={me} />
      <PasswordForm />
      <div className="jp-Coflows-actions">
        <Button
          className="jp-mod-styled jp-Coflows-secondary"
          onClick={() => (people.editing = false)}
        >
          {trans.__('Close')}
        </Button>
      </div>
    </div>
  );
}

function NameForm({ me }: { me: IMe }): React.JSX.Element {
  const { people, trans } = useServices();
  const [first, setFirst] = React.useState(me.first_name);
  const [last, setLast] = React.useState(me.last_name);
  const form = useSending(
    () => people.setName(first.trim(), last.trim()),
    trans.__('Your name is saved')
  );
  return (
    <form aria-label={trans.__('Your name')} onSubmit={form.onSubmit}>
      <Field label={trans.__('First name')} value={first} onChange={setFirst} focus />
      <Field label={trans.__('Last name')} value={last} onChange={setLast} />
      <Refused text={form.refused} />
      <Button type="submit" className="jp-mod-styled jp-mod-accept">
        {trans.__('Save the name')}
      </Button>
    </form>
  );
}

function PasswordForm(): React.JSX.Element {
  const { people, trans } = useServices();
  const [old, setOld] = React.useState('');
  const [password, setPassword] = React.useState('');
  const [again, setAgain] = React.useState('');
  const form = useSending(async () => {
    if (password !== again) {
      throw new Error(trans.__('The two new passwords differ.'));
    }
    await people.setPassword(old, password);
    [setOld, setPassword, setAgain].forEach(set => set(''));
  }, trans.__('Your password is changed, and you are logged out in other browsers'));
  return (
    <form aria-label={trans.__('Your password')} onSubmit={form.onSubmit}>
      <Field
        label={trans.__('Password until now, if you have one')}
        value={old}
        onChange={setOld}
        complete="current-password"
      />
      <Field
        label={trans.__('New password')}
        value={password}
        onChange={setPassword}
        complete="new-password"
      />
      <Field
        label={trans.__('The new one again')}
        value={again}
        onChange={setAgain}
        complete="new-password"
      />
      <Refused text={form.refused} />
      <Button
        type="submit"
        className="jp-mod-styled jp-mod-accept"
        disabled={password === '' || again === ''}
      >
        {trans.__('Change the password')}
      </Button>
    </form>
  );
}

interface IFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** What a browser may fill in; with it, nobody sees what is typed. */
  complete?: 'current-password' | 'new-password';
  focus?: boolean;
}

function Field({ label, value, onChange, complete, focus }: IFieldProps): React.JSX.Element {
  const input = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => {
    if (focus) {
      input.current?.focus();
    }
  }, [focus]);
  return (
    <label>
      {label}
      <input
        ref={input}
        className="jp-mod-styled"
        type={complete ? 'password' : 'text'}
        autoComplete={complete ?? 'off'}
        spellCheck={false}
        value={value}
        onChange={event => onChange(event.target.value)}
      />
    </label>
  );
}

function Refused({ text }: { text: string }): React.JSX.Element | null {
  return text ? (
    <p role="alert" className="jp-Coflows-fieldError">
      {text}
    </p>
  ) : null;
}

/** What a form does when it is sent, and why that was refused the last time. */
function useSending(
  send: () => Promise<void>,
  done: string
): { onSubmit: (event: React.FormEvent) => void; refused: string } {
  const [refused, setRefused] = React.useState('');
  const onSubmit = (event: React.FormEvent) => {
    event.preventDefault();
    send().then(
      () => {
        setRefused('');
        notifyDone(done);
      },
      (error: unknown) => setRefused(errorText(error))
    );
  };
  return { onSubmit, refused };
}
