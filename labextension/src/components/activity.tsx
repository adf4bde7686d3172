import * as React from 'react';
import { fraction, secondsLeft } from '../follow';
import { roughText } from '../format';
import type { IProgress } from '../rest';
import { useServices } from './context';

interface IProgressBarProps {
  progress: IProgress | null;
  /** Seconds since the run started. */
  elapsed: number;
}

/** How far a run is: a bar, the counts, what it does, how long it takes still. */
export function ProgressBar({ progress, elapsed }: IProgressBarProps): React.JSX.Element {
  const { trans } = useServices();
  const part = fraction(progress);
  const left = secondsLeft(progress, elapsed);
  const counts =
    progress && progress.done > 0
      ? progress.total > 0
        ? `${progress.done}\u00a0/\u00a0${progress.total}`
        : String(progress.done)
      : '';
  const time =
    left === null
      ? trans.__('running for %1', roughText(elapsed))
      : trans.__('%1 left', roughText(left));
  return (
    <div className="jp-Coflows-progress">
      <progress
        aria-label={trans.__('Progress')}
        {...(part === null ? {} : { max: 1, value: part })}
      />
      <span>{[counts, progress?.text, time].filter(Boolean).join(' · ')}</span>
    </div>
  );
}

/** What a run prints, as it comes; it stays at its end as long as nobody scrolls back. */
export function Log({ text }: { text: string }): React.JSX.Element | null {
  const { trans } = useServices();
  const node = React.useRef<HTMLPreElement>(null);
  const atEnd = React.useRef(true);
  React.useLayoutEffect(() => {
    if (node.current && atEnd.current) {
      node.current.scrollTop = node.current.scrollHeight;
    }
  }, [text]);
  if (text === '') {
    return null;
  }
  return (
    <pre
      ref={node}
      role="log"
      aria-label={trans.__('Log')}
      tabIndex={0}
      className="jp-Coflows-log"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 4;
      }}
    >
      {text}
    </pre>
  );
}

/** The time as `performance.now()` counts, ticking. */
export function useNow(milliseconds = 1000): number {
  const [now, setNow] = React.useState(() => performance.now());
  React.useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return now;
}
