import { PathExt } from '@jupyterlab/coreutils';
import { errorIcon, infoIcon, type LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { IDiagnostic, Severity } from '../../rest';
import { CommandIDs } from '../../tokens';
import { useServices } from '../../components/context';

const ICONS: Record<Severity, LabIcon> = {
  error: errorIcon,
  warning: errorIcon,
  info: infoIcon
};
const ORDER: Severity[] = ['error', 'warning', 'info'];

/** Findings about the Workflow's files, errors first; each opens its file at its place. */
export function Diagnostics({
  items
}: {
  items: readonly IDiagnostic[];
}): React.JSX.Element | null {
  const { trans } = useServices();
  if (items.length === 0) {
    return null;
  }
  const sorted = ORDER.flatMap(severity => items.filter(item => item.severity === severity));
  return (
    <section className="jp-Coflows-diagnostics">
      <h3>
        {trans.__('Problems')} <span className="jp-Coflows-count">{items.length}</span>
      </h3>
      <ul>
        {sorted.map((item, index) => (
          <li key={index}>
            <Finding item={item} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Finding({ item }: { item: IDiagnostic }): React.JSX.Element {
  const { commands, trans } = useServices();
  const Icon = ICONS[item.severity];
  const { path, line, column } = item;
  const place = [PathExt.basename(item.file), line, column].filter(Boolean).join(':');
  const known = path !== null && path !== undefined;
  return (
    <button
      type="button"
      className="jp-Coflows-finding"
      data-severity={item.severity}
      disabled={!known}
      title={known ? item.file : trans.__('%1 is outside of the Lab folder', item.file)}
      onClick={() => void commands.execute(CommandIDs.openAt, { path: path ?? '', line, column })}
    >
      <Icon.react tag="span" className="jp-Coflows-findingIcon" />
      <span className="jp-Coflows-findingText">
        <span>{item.message}</span>
        {item.hint && <span className="jp-Coflows-muted">{item.hint}</span>}
        <span className="jp-Coflows-place">{place}</span>
      </span>
      <span className="jp-Coflows-hidden">{item.severity}</span>
    </button>
  );
}
