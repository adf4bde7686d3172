/**
 * Read a WebSocket's messages as JSON, until it closes.
 *
 * @param signal - aborting it closes the socket and ends what is read.
 */
export async function* readSocket(socket: WebSocket, signal: AbortSignal): AsyncGenerator {
  const messages: string[] = [];
  const state = { closed: false };
  let wake: () => void = () => undefined;
  const close = () => {
    state.closed = true;
    wake();
  };
  socket.onmessage = (event: MessageEvent<string>) => {
    messages.push(event.data);
    wake();
  };
  socket.onclose = close;
  signal.addEventListener('abort', close);
  try {
    while (!signal.aborted) {
      const message = messages.shift();
      if (message !== undefined) {
        yield JSON.parse(message) as unknown;
      } else if (state.closed) {
        return;
      } else {
        await new Promise<void>(resolve => (wake = resolve));
      }
    }
  } finally {
    signal.removeEventListener('abort', close);
    socket.close();
  }
}
