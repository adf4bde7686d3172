import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices } from '../../components/context';
import { ResultView } from '../../components/outcome';
import { errorText } from '../../api';
import type { IAgent } from '../../rest';
import type { ISuccess } from '../queries/model';

interface IFormProps {
  agent: IAgent;
}

/** Asks for a time, and says in sentences what became of the Agent then. */
export function ExplainForm({ agent }: IFormProps): React.JSX.Element {
  const { agents, trans } = useServices();
  const [at, setAt] = React.useState(() => localMinute(agent.last?.fire_at));
  const [sentences, problem, ask] = useAnswer<string[]>();
  const id = React.useId();
  return (
    <details>
      <summary>{trans.__('Explain')}</summary>
      <form
        onSubmit={event => {
          event.preventDefault();
          ask(agents.explain(agent.id, new Date(at).toISOString()));
        }}
      >
        <label htmlFor={id}>{trans.__('Why did it or did it not run at')}</label>
        <input
          id={id}
          type="datetime-local"
          className="jp-mod-styled"
          required
          value={at}
          onChange={event => setAt(event.target.value)}
        />
        <Button type="submit" className="jp-mod-styled jp-Coflows-secondary">
          {trans.__('Ask')}
        </Button>
      </form>
      <Problem text={problem} />
      {sentences && <Sentences items={sentences} />}
    </details>
  );
}

/** What `explain` says. */
export function Sentences({ items }: { items: readonly string[] }): React.JSX.Element {
  return (
    <ul role="status" className="jp-Coflows-sentences">
      {items.map(item => (
        <li key={item}>{item}</li>
      ))}
    </ul>
  );
}

/** Sends a message, and shows what the Agent answers. */
export function SendForm({ agent }: IFormProps): React.JSX.Element {
  const { agents, trans } = useServices();
  const [text, setText] = React.useState('');
  const [success, problem, ask] = useAnswer<ISuccess>();
  const id = React.useId();
  return (
    <details>
      <summary>{trans.__('Send message')}</summary>
      <form
        onSubmit={event => {
          event.preventDefault();
          ask(agents.send(agent.id, text));
        }}
      >
        <label htmlFor={id}>{trans.__('Message')}</label>
        <textarea
          id={id}
          className="jp-mod-styled"
          rows={2}
          spellCheck={false}
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <Button type="submit" className="jp-mod-styled jp-Coflows-secondary">
          {trans.__('Send')}
        </Button>
      </form>
      <Problem text={problem} />
      {success && <ResultView success={success} />}
    </details>
  );
}

function Problem({ text }: { text: string }): React.JSX.Element | null {
  return text ? (
    <p role="alert" className="jp-Coflows-runError">
      {text}
    </p>
  ) : null;
}

/** The last answer to something asked, or why there is none. */
function useAnswer<T>(): [T | null, string, (asked: Promise<T>) => void] {
  const [answer, setAnswer] = React.useState<T | null>(null);
  const [problem, setProblem] = React.useState('');
  const ask = (asked: Promise<T>) => {
    asked
      .then(value => {
        setAnswer(value);
        setProblem('');
      })
      .catch((error: unknown) => {
        setAnswer(null);
        setProblem(errorText(error));
      });
  };
  return [answer, problem, ask];
}

/** An instant as an input of this page's clock takes it; the current minute without one. */
function localMinute(at?: string): string {
  const moment = at ? new Date(at) : new Date();
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 16);
}
