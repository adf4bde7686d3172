import { MimeModel } from '@jupyterlab/rendermime';
import type { JSONValue } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { useServices } from './context';

/** A JSON value as Lab's own collapsible tree. */
export function JsonView({ value }: { value: JSONValue }): React.JSX.Element {
  const { rendermime } = useServices();
  const host = React.useRef<HTMLDivElement>(null);
  // Before React takes the node out of the page, which Lumino would not expect.
  React.useLayoutEffect(() => {
    if (!host.current) {
      return;
    }
    const data = { 'application/json': value };
    const renderer = rendermime.createRenderer('application/json');
    Widget.attach(renderer, host.current);
    void renderer.renderModel(new MimeModel({ data }));
    return () => renderer.dispose();
  }, [rendermime, value]);
  return <div ref={host} className="jp-Coflows-json" />;
}
