import { Button, refreshIcon, terminalIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices } from '../../components/context';

/** What is shown when there is no Workflow to show: the reason, and what to do. */
export function Notice(): React.JSX.Element {
  const { model, trans } = useServices();
  switch (model.availability) {
    case 'connecting':
      return <p className="jp-Coflows-muted">{trans.__('Asking the server…')}</p>;
    case 'signed-out':
      return (
        <Empty title={trans.__('This page is signed out')}>
          <p>{trans.__('The server runs, but no longer knows this session.')}</p>
          <Button
            className="jp-mod-styled jp-Coflows-secondary"
            onClick={() => window.location.reload()}
          >
            {trans.__('Sign in again')}
          </Button>
        </Empty>
      );
    case 'absent':
      return (
        <Empty title={trans.__('CoFlows is not running here')}>
          <p>{trans.__('Enable the server extension, then start the server again:')}</p>
          <code>jupyter server extension enable coflows_jupyter</code>
        </Empty>
      );
    case 'failed':
      return (
        <Empty title={model.problem?.title ?? ''}>
          <p>{model.problem?.detail}</p>
          <Button
            className="jp-mod-styled jp-Coflows-secondary"
            onClick={() => void model.refresh()}
          >
            <refreshIcon.react tag="span" /> {trans.__('Try again')}
          </Button>
        </Empty>
      );
    case 'lost':
      return <React.Fragment />;
    case 'ready':
      return <NoWorkflow />;
  }
}

function NoWorkflow(): React.JSX.Element {
  const { commands, trans } = useServices();
  return (
    <Empty title={trans.__('This folder holds no Workflow')}>
      <p>{trans.__('Make one in a terminal, then start the server in it:')}</p>
      <code>coflows new my-workflow{'\n'}coflows server my-workflow</code>
      {commands.hasCommand('terminal:create-new') && (
        <Button
          className="jp-mod-styled jp-Coflows-secondary"
          onClick={() => void commands.execute('terminal:create-new')}
        >
          <terminalIcon.react tag="span" /> {trans.__('Open a terminal')}
        </Button>
      )}
    </Empty>
  );
}

function Empty(props: React.PropsWithChildren<{ title: string }>): React.JSX.Element {
  return (
    <div className="jp-Coflows-empty">
      <h3>{props.title}</h3>
      {props.children}
    </div>
  );
}

/** Says that the server does not answer; goes away by itself. */
export function ConnectionBanner(): React.JSX.Element {
  const { model, trans } = useServices();
  return (
    <div role="status">
      {model.availability === 'lost' && (
        <p className="jp-Coflows-banner">{trans.__('Server unreachable, retrying…')}</p>
      )}
    </div>
  );
}
