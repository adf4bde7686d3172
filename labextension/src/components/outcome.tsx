import { downloadIcon, launchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { IFound, ISuccess, Outcome } from '../sections/queries/model';
import { durationText } from '../format';
import { viewsOf, type IResult, type View } from '../result';
import type { IProblem } from '../rest';
import { CommandIDs } from '../tokens';
import { useServices } from './context';
import { JsonView } from './mime';
import { ResultTable } from './table';

interface IOutcomeProps {
  found: IFound;
  outcome: Outcome;
}

/** How the last call of a function ended. */
export function OutcomeView({ found, outcome }: IOutcomeProps): React.JSX.Element {
  const node = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    node.current?.scrollIntoView({ block: 'nearest' });
  }, [outcome]);
  return (
    <div ref={node} className="jp-Coflows-outcomes">
      <OutcomeBody found={found} outcome={outcome} />
    </div>
  );
}

function OutcomeBody({ found, outcome }: IOutcomeProps): React.JSX.Element {
  const { trans } = useServices();
  switch (outcome.kind) {
    case 'result':
      return (
        <ResultView success={outcome}>
          <OpenInTab />
        </ResultView>
      );
    case 'problem':
      return <ProblemView found={found} problem={outcome.problem} />;
    case 'cancelled':
      return <p className="jp-Coflows-muted">{trans.__('The call was cancelled.')}</p>;
  }
}

interface IResultViewProps {
  success: ISuccess;
  /** Further buttons of the header. */
  children?: React.ReactNode;
}

/** A result as table, JSON or text, with how long it took. */
export function ResultView({ success, children }: IResultViewProps): React.JSX.Element {
  const { answer, result } = success;
  const { trans } = useServices();
  const [chosen, setChosen] = React.useState<View | null>(null);
  const views = viewsOf(result);
  const view = chosen && views.includes(chosen) ? chosen : views[0];
  const labels: Record<View, string> = {
    table: trans.__('Table'),
    json: trans.__('JSON'),
    text: trans.__('Text'),
    file: trans.__('File')
  };
  return (
    <section className="jp-Coflows-outcome" aria-label={trans.__('Result')}>
      <header>
        {views.length > 1 && (
          <div role="group" aria-label={trans.__('Show as')} className="jp-Coflows-views">
            {views.map(item => (
              <button
                key={item}
                type="button"
                aria-pressed={item === view}
                onClick={() => setChosen(item)}
              >
                {labels[item]}
              </button>
            ))}
          </div>
        )}
        <span className="jp-Coflows-took" role="status">
          {durationText(answer.seconds)}
        </span>
        {children}
      </header>
      <ResultBody view={view} result={result} />
      <Footer id={answer.runId} size={sizeText(result)} />
    </section>
  );
}

function OpenInTab(): React.JSX.Element {
  const { commands, trans } = useServices();
  return (
    <button
      type="button"
      className="jp-Coflows-icon"
      title={trans.__('Open the result in a tab')}
      aria-label={trans.__('Open the result in a tab')}
      onClick={() => void commands.execute(CommandIDs.openResult)}
    >
      <launchIcon.react tag="span" />
    </button>
  );
}

function ResultBody({ view, result }: { view: View; result: IResult }): React.JSX.Element | null {
  if (view === 'table' && result.table) {
    return <ResultTable table={result.table} />;
  }
  if (view === 'json' && result.json !== undefined) {
    return <JsonView value={result.json} />;
  }
  if (view === 'file' && result.file) {
    return <FileLink file={result.file} />;
  }
  return (
    <pre className="jp-Coflows-text" tabIndex={0}>
      {result.text}
    </pre>
  );
}

function FileLink({ file }: { file: Blob }): React.JSX.Element {
  const { trans } = useServices();
  const [url, setUrl] = React.useState('');
  React.useEffect(() => {
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return (
    <a className="jp-Coflows-download" href={url} download={trans.__('result')}>
      <downloadIcon.react tag="span" />
      {trans.__('Download (%1, %2 bytes)', file.type || trans.__('binary'), file.size)}
    </a>
  );
}

function ProblemView(props: { found: IFound; problem: IProblem }): React.JSX.Element {
  const { problem } = props;
  const { trans } = useServices();
  // Those about a field are shown at the field.
  const known = new Set(props.found.target.parameters.map(({ name }) => name));
  const others = (problem.errors ?? []).filter(({ field }) => !known.has(field));
  return (
    <section className="jp-Coflows-problem" role="alert">
      <header>
        <strong>{problem.title}</strong>
        {problem.status > 0 && <span className="jp-Coflows-badge">{problem.status}</span>}
      </header>
      {problem.detail && <p>{problem.detail}</p>}
      {others.length > 0 && (
        <ul>
          {others.map(({ field, message }) => (
            <li key={field}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {problem.hint && <p className="jp-Coflows-muted">{problem.hint}</p>}
      {problem.traceback && (
        <details>
          <summary>{trans.__('Traceback')}</summary>
          <pre tabIndex={0}>{problem.traceback}</pre>
        </details>
      )}
      <Footer id={problem.run_id ?? ''} />
    </section>
  );
}

/** What identifies the run in logs, and how large a table is. */
function Footer({ id, size = '' }: { id: string; size?: string }): React.JSX.Element {
  const { trans } = useServices();
  return (
    <footer>
      {size}
      {size && id && ' · '}
      {id && (
        <>
          {trans.__('Run')} <code>{id}</code>
        </>
      )}
    </footer>
  );
}

function sizeText({ table }: IResult): string {
  return table ? `${table.rows.length} × ${table.columns.length}` : '';
}
