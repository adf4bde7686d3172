import { Button, codeIcon, copyIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { ICall, IFound } from './model';
import type { IFieldError } from '../../rest';
import { CommandIDs } from '../../tokens';
import { useServices, useSignal } from '../../components/context';
import { FunctionForm } from './form';
import { Log, ProgressBar, useNow } from '../../components/activity';
import { openMenu } from '../../components/menu';
import { OutcomeView } from '../../components/outcome';
import { FunctionTree } from './tree';

const NO_ERRORS: readonly IFieldError[] = [];

/** The Queries section: every function, and the selected one with its form and its last result. */
export function QueriesSection(): React.JSX.Element {
  const { calls, model, trans } = useServices();
  useSignal(calls.changed);
  const { catalog, workflow } = model;
  if (!workflow || !catalog || model.availability === 'signed-out') {
    return <p className="jp-Coflows-muted">{trans.__('Nothing to call yet.')}</p>;
  }
  if (catalog.queries.length === 0) {
    return (
      <div className="jp-Coflows-empty">
        <p>
          {workflow.build
            ? trans.__('The Workflow has no Queries yet. Add one in a terminal:')
            : trans.__('The functions appear here after the first Build.')}
        </p>
        {workflow.build && <code>coflows add query my_query</code>}
      </div>
    );
  }
  return (
    <div className="jp-Coflows-queries">
      <FunctionTree queries={catalog.queries} />
      {calls.selection ? (
        <Detail />
      ) : (
        <p className="jp-Coflows-muted">{trans.__('Select a function to call it.')}</p>
      )}
    </div>
  );
}

function Detail(): React.JSX.Element {
  const { calls, trans } = useServices();
  const found = calls.selected;
  if (!found) {
    return (
      <p className="jp-Coflows-muted">
        {trans.__('%1 is not in the Build any more.', calls.selection?.function ?? '')}
      </p>
    );
  }
  return <FunctionDetail found={found} />;
}

function FunctionDetail({ found }: { found: IFound }): React.JSX.Element {
  const { calls, commands, trans } = useServices();
  const { query, target } = found;
  const outcome = calls.outcome(found);
  const refused = outcome?.kind === 'problem' ? outcome.problem.errors : undefined;
  const description = target.description || target.doc;
  return (
    <div className="jp-Coflows-detail">
      <header>
        <h3 title={`${query.id}.${target.name}`}>{target.name}</h3>
        <Button
          minimal
          title={trans.__('Open the source')}
          aria-label={trans.__('Open the source')}
          disabled={query.path === null}
          onClick={() => void commands.execute(CommandIDs.openSource)}
        >
          <codeIcon.react tag="span" />
        </Button>
      </header>
      {description && <p className="jp-Coflows-description">{description}</p>}
      <FunctionForm
        found={found}
        errors={refused ?? NO_ERRORS}
        onSubmit={() => void commands.execute(CommandIDs.run)}
      >
        <Actions found={found} />
      </FunctionForm>
      {target.returns && (
        <p className="jp-Coflows-muted">{trans.__('Returns %1', target.returns)}</p>
      )}
      {outcome && <OutcomeView key={target.name} found={found} outcome={outcome} />}
    </div>
  );
}

function Actions({ found }: { found: IFound }): React.JSX.Element {
  const { calls, commands, trans } = useServices();
  // The form that these sit in draws itself again only when its own properties change.
  useSignal(calls.changed);
  const call = calls.running(found);
  const denied = found.target.closed
    ? trans.__('Nobody may call it until its doc comment can be read: see Problems.')
    : trans.__('You may look at it, but not call it.');
  return (
    <>
      <div className="jp-Coflows-actions">
        {call === null ? (
          // Keys keep these two apart: a button that turned into Run under the pointer would run.
          <Button
            key="run"
            type="submit"
            className="jp-mod-styled jp-mod-accept"
            disabled={!found.target.callable}
            title={trans.__('Run (Enter; Ctrl+Enter from any field)')}
          >
            <runIcon.react tag="span" /> {trans.__('Run')}
          </Button>
        ) : (
          <Button
            key="cancel"
            type="button"
            className="jp-mod-styled jp-mod-warn"
            disabled={call.stopping}
            onClick={() => void commands.execute(CommandIDs.cancel)}
          >
            <stopIcon.react tag="span" />{' '}
            {call.stopping ? trans.__('Cancelling…') : trans.__('Cancel')}
          </Button>
        )}
        <CopyButton />
        {call && !call.run && <span className="jp-Coflows-muted">{trans.__('Running…')}</span>}
      </div>
      {call?.run && <CallActivity call={call} />}
      {!found.target.callable && <p className="jp-Coflows-muted">{denied}</p>}
    </>
  );
}

function CopyButton(): React.JSX.Element {
  const { commands, trans } = useServices();
  const open = (event: React.MouseEvent<HTMLElement>) => {
    const { copyCurl, copyCommand, copyPython } = CommandIDs;
    openMenu(commands, event.currentTarget, [copyCurl, copyCommand, copyPython]);
  };
  return (
    <Button
      type="button"
      className="jp-mod-styled jp-Coflows-secondary"
      aria-haspopup="menu"
      title={trans.__('Copy the call as curl, command or Python')}
      onClick={open}
    >
      <copyIcon.react tag="span" /> {trans.__('Copy as')}
    </Button>
  );
}

/** How far a call is that did not answer at once. */
function CallActivity({ call }: { call: ICall }): React.JSX.Element {
  const elapsed = Math.max(0, (useNow() - call.start) / 1000);
  return (
    <>
      <ProgressBar progress={call.activity.progress} elapsed={elapsed} />
      <Log text={call.activity.log} />
    </>
  );
}
