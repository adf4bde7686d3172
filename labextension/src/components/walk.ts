import type * as React from 'react';

/** Let arrow keys, Home and End walk through the elements of a list that match. */
export function walk(event: React.KeyboardEvent<HTMLElement>, selector: string): void {
  const heads = Array.from(event.currentTarget.querySelectorAll<HTMLElement>(selector));
  const index = heads.indexOf(event.target as HTMLElement);
  const targets: Record<string, number | undefined> = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    Home: 0,
    End: heads.length - 1
  };
  const target = targets[event.key];
  if (index >= 0 && target !== undefined) {
    event.preventDefault();
    heads.at(Math.min(Math.max(target, 0), heads.length - 1))?.focus();
  }
}
