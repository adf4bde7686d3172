/** One server-sent event. */
export interface IServerEvent {
  kind: string;
  /** Its data, read as JSON. */
  data: unknown;
}

/** Read a response as a stream of events, until it ends. */
export async function* readEvents(response: Response): AsyncGenerator<IServerEvent> {
  if (!response.body) {
    return;
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) {
          yield event;
        }
      }
    }
  } finally {
    // Who stops reading leaves the connection.
    await reader.cancel().catch(() => undefined);
  }
}

/** Read one event; null for a comment, which only keeps the connection open. */
export function parseEvent(block: string): IServerEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    const value = line.slice(colon + 1).replace(/^ /, '');
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  const data = fields.get('data');
  return data === undefined
    ? null
    : { kind: fields.get('event') ?? 'message', data: JSON.parse(data) as unknown };
}
