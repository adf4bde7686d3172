import { parseEvent, readEvents } from '../events';
import { after, followRun, fraction, NOTHING_YET, secondsLeft, type IActivity } from '../follow';
import { eventStream, FakeServer, makeRun } from './fixtures';

const EVENTS = 'GET coflows/api/runs/r1/events';

describe('parseEvent', () => {
  it('reads kind and data, also over several lines', () => {
    expect(parseEvent('event: log\ndata: {"a":\ndata: 1}')).toEqual({
      kind: 'log',
      data: { a: 1 }
    });
  });

  it('passes over comments', () => {
    expect(parseEvent(':')).toBeNull();
  });
});

describe('readEvents', () => {
  it('puts together what arrives in pieces, also of one letter', async () => {
    const bytes = new TextEncoder().encode('data: "é"\n\ndata: 2\n\n');
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        bytes.forEach(byte => controller.enqueue(Uint8Array.of(byte)));
        controller.close();
      }
    });
    const found: unknown[] = [];
    for await (const { data } of readEvents(new Response(body))) {
      found.push(data);
    }
    expect(found).toEqual(['é', 2]);
  });
});

describe('after', () => {
  it('keeps the last progress and the end of the log', () => {
    const progress = { done: 1, total: 2, text: '' };
    let activity = after(NOTHING_YET, { kind: 'log', data: { text: 'first' } });
    activity = after(activity, { kind: 'progress', data: progress });
    activity = after(activity, { kind: 'log', data: { text: 'x'.repeat(100_000) } });
    expect(activity.progress).toEqual(progress);
    expect(activity.log).toBe('x'.repeat(65_536));
  });
});

describe('progress', () => {
  it('is unknown without a total', () => {
    expect(fraction({ done: 3, total: 0, text: '' })).toBeNull();
    expect(fraction(null)).toBeNull();
  });

  it('never leaves the bar', () => {
    expect(fraction({ done: 5, total: 4, text: '' })).toBe(1);
  });

  it('tells how long it takes still, once something is done', () => {
    expect(secondsLeft({ done: 1, total: 4, text: '' }, 10)).toBe(30);
    expect(secondsLeft({ done: 0, total: 4, text: '' }, 10)).toBeNull();
    expect(secondsLeft({ done: 1, total: 4, text: '' }, 0.1)).toBeNull();
  });
});

describe('followRun', () => {
  it('starts anew after a broken connection, and gives the run at its end', async () => {
    const end = makeRun('r1');
    const answers = [
      eventStream(['log', { text: 'a' }]),
      eventStream(['log', { text: 'a' }], ['log', { text: 'b' }], ['end', end])
    ];
    const server = new FakeServer({ [EVENTS]: () => answers.shift()! });
    const told: IActivity[] = [];
    const signal = new AbortController().signal;
    await expect(followRun(server.api, 'r1', signal, item => told.push(item))).resolves.toEqual(
      end
    );
    expect(told.map(({ log }) => log)).toEqual(['a', 'a', 'ab']);
  });
});
