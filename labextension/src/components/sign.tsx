import * as React from 'react';
import type { AgentRunState, RunOutcome } from '../rest';

/** Shapes as well as colours, so that nobody has to tell red from green. */
const SIGNS: Record<RunOutcome | AgentRunState, string> = {
  due: '…',
  running: '●',
  succeeded: '✓',
  failed: '✕',
  timed_out: '◷',
  cancelled: '⊘',
  crashed: '⚡\ufe0e',
  denied: '⊖',
  refused: '⊖',
  lost: '?',
  skipped: '↷'
};

/** How a run ended, or that it goes on. */
export function Sign(props: {
  outcome: RunOutcome | AgentRunState;
  label: string;
}): React.JSX.Element {
  const { outcome, label } = props;
  return (
    <span className="jp-Coflows-sign" data-outcome={outcome} title={label}>
      <span aria-hidden="true">{SIGNS[outcome]}</span>
      <span className="jp-Coflows-hidden">{label}</span>
    </span>
  );
}
