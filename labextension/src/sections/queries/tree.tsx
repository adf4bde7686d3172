import { PathExt } from '@jupyterlab/coreutils';
import { caretDownIcon, caretRightIcon, lockIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { IFunction, IQuery } from '../../rest';
import { useServices } from '../../components/context';

/** One visible line: a Query's file, or one of its functions. */
interface INode {
  key: string;
  query: IQuery;
  target: IFunction | null;
}

const FILTER_FROM = 10;

/** Files and their functions; arrow keys walk, Enter selects. */
export function FunctionTree({ queries }: { queries: readonly IQuery[] }): React.JSX.Element {
  const { calls, trans } = useServices();
  const [closed, setClosed] = React.useState<ReadonlySet<string>>(new Set());
  const [filter, setFilter] = React.useState('');
  const [current, setCurrent] = React.useState<string | null>(null);
  const tree = React.useRef<HTMLUListElement>(null);

  const nodes = visibleNodes(queries, closed, filter);
  const selection = calls.selection;
  const selected = selection && nodeKey(selection.query, selection.function);
  const tabStop =
    [current, selected].find(key => nodes.some(node => node.key === key)) ?? nodes.at(0)?.key;

  const focus = (index: number) => {
    const item = tree.current?.children.item(index);
    if (item instanceof HTMLElement) {
      setCurrent(nodes[index].key);
      item.focus();
    }
  };
  const toggle = (id: string, open: boolean) => {
    const next = new Set(closed);
    if (open) {
      next.delete(id);
    } else {
      next.add(id);
    }
    setClosed(next);
  };
  const activate = ({ key, query, target }: INode) => {
    setCurrent(key);
    if (target) {
      calls.select({ query: query.id, function: target.name });
    } else {
      toggle(query.id, closed.has(query.id));
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const index = Array.from(event.currentTarget.children).indexOf(event.target as Element);
    if (index < 0 || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const node = nodes[index];
    const isOpen = !node.target && !closed.has(node.query.id);
    const actions: Record<string, (() => void) | undefined> = {
      ArrowDown: () => focus(index + 1),
      ArrowUp: () => focus(index - 1),
      Home: () => focus(0),
      End: () => focus(nodes.length - 1),
      ArrowRight: () => (isOpen ? focus(index + 1) : toggle(node.query.id, true)),
      ArrowLeft: () =>
        isOpen
          ? toggle(node.query.id, false)
          : focus(nodes.findIndex(({ key }) => key === nodeKey(node.query.id))),
      Enter: () => activate(node),
      ' ': () => activate(node)
    };
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  };

  return (
    <div className="jp-Coflows-browser">
      {(filter !== '' || countFunctions(queries) >= FILTER_FROM) && (
        <input
          type="search"
          className="jp-Coflows-filter jp-mod-styled"
          placeholder={trans.__('Filter functions')}
          aria-label={trans.__('Filter functions')}
          value={filter}
          onChange={event => setFilter(event.target.value)}
        />
      )}
      <ul
        ref={tree}
        role="tree"
        aria-label={trans.__('Queries')}
        className="jp-Coflows-tree"
        onKeyDown={onKeyDown}
      >
        {nodes.map(node => (
          <TreeItem
            key={node.key}
            node={node}
            expanded={!closed.has(node.query.id)}
            selected={node.key === selected}
            tabStop={node.key === tabStop}
            onActivate={() => activate(node)}
          />
        ))}
      </ul>
      {nodes.length === 0 && (
        <p className="jp-Coflows-muted">{trans.__('No function has this in its name.')}</p>
      )}
    </div>
  );
}

interface ITreeItemProps {
  node: INode;
  expanded: boolean;
  selected: boolean;
  tabStop: boolean;
  onActivate: () => void;
}

function TreeItem({
  node,
  expanded,
  selected,
  tabStop,
  onActivate
}: ITreeItemProps): React.JSX.Element {
  const { trans } = useServices();
  const { query, target } = node;
  const Caret = expanded ? caretDownIcon : caretRightIcon;
  const shared = {
    role: 'treeitem',
    tabIndex: tabStop ? 0 : -1,
    onClick: onActivate
  };
  if (!target) {
    return (
      <li
        {...shared}
        aria-level={1}
        aria-expanded={expanded}
        aria-selected={false}
        className="jp-Coflows-file"
        title={[query.path ?? query.name, query.info.description].filter(Boolean).join('\n')}
      >
        <Caret.react tag="span" className="jp-Coflows-caret" />
        <span className="jp-Coflows-label">{PathExt.basename(query.path ?? query.name)}</span>
        <span className="jp-Coflows-muted">{query.id}</span>
      </li>
    );
  }
  const names = target.parameters.map(({ name }) => name).join(', ');
  return (
    <li
      {...shared}
      aria-level={2}
      aria-selected={selected}
      className="jp-Coflows-function"
      title={[`${target.name}(${names})`, target.description].filter(Boolean).join('\n')}
    >
      <span className="jp-Coflows-label">
        {target.name}
        <span className="jp-Coflows-muted">({names})</span>
      </span>
      {!target.callable && (
        <lockIcon.react
          tag="span"
          className="jp-Coflows-lock"
          title={target.closed ? trans.__('Closed: see Problems') : trans.__('Not allowed for you')}
        />
      )}
    </li>
  );
}

function visibleNodes(
  queries: readonly IQuery[],
  closed: ReadonlySet<string>,
  filter: string
): INode[] {
  const wanted = filter.trim().toLowerCase();
  return queries.flatMap(query => {
    const functions = query.functions.filter(({ name }) => name.toLowerCase().includes(wanted));
    if (wanted !== '' && functions.length === 0) {
      return [];
    }
    const file: INode = { key: nodeKey(query.id), query, target: null };
    return closed.has(query.id)
      ? [file]
      : [
          file,
          ...functions.map(target => ({ key: nodeKey(query.id, target.name), query, target }))
        ];
  });
}

function nodeKey(query: string, name = ''): string {
  return `${query}/${name}`;
}

function countFunctions(queries: readonly IQuery[]): number {
  return queries.reduce((sum, { functions }) => sum + functions.length, 0);
}
