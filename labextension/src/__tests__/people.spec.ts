import { nullTranslator } from '@jupyterlab/translation';
import { Connection } from '../connection';
import { PeopleModel } from '../sections/people/model';
import { describeScope, scopeTargets, scopeText } from '../sections/people/scope';
import { endText, keyText } from '../sections/people/text';
import { CoflowsModel } from '../sections/workflow/model';
import type { IKey, IMe, Scope } from '../rest';
import { FakeServer, json, makeFunction, makeQuery, makeWorkflow, until } from './fixtures';

const trans = nullTranslator.load('coflows_jupyter');
const workflow = { id: 'w1', name: 'Portfolio' };

function makeKey(id: string, more: Partial<IKey> = {}): IKey {
  const created = '2026-01-01T12:00:00.000+00:00';
  const never = { expires: '', last_used: '', revoked: '' };
  return { id, user: 'ann', name: '', kind: 'key', scopes: [], created, ...never, ...more };
}

describe('scopes', () => {
  it.each<[Scope, string, string]>([
    [['workflow', 'w1', true], 'workflow:w1:w', 'Workflow Portfolio: read and write'],
    [['query', 'w1/q1', false], 'query:w1/q1:r', 'Query q1: read'],
    [['function', 'w1/q1/f', false], 'function:w1/q1/f:r', 'Function q1.f: read'],
    [['function', 'w2/q1/f', false], 'function:w2/q1/f:r', 'Function w2.q1.f: read'],
    [['m', 'a/b', true], 'm:a/b:w', 'M set a/b: read and write']
  ])('%s is written for the server and for people', (scope, text, described) => {
    expect(scopeText(scope)).toBe(text);
    expect(describeScope(scope, workflow, trans)).toBe(described);
  });

  it('offers what the Workflow has', () => {
    const queries = [makeQuery([makeFunction('f'), makeFunction('g')])];
    expect(scopeTargets('workflow', workflow, queries)).toEqual([
      { value: 'w1', label: 'Portfolio' }
    ]);
    expect(scopeTargets('query', workflow, queries)).toEqual([{ value: 'w1/q1', label: 'q1' }]);
    expect(scopeTargets('function', workflow, queries)).toEqual([
      { value: 'w1/q1/f', label: 'q1.f' },
      { value: 'w1/q1/g', label: 'q1.g' }
    ]);
  });
});

describe('ends', () => {
  const now = Date.parse('2026-06-01T00:00:00Z');

  it.each([
    ['', 'no end'],
    ['2026-06-02T00:00:00.000+00:00', 'until 2026-06-02'],
    ['2026-05-31T00:00:00.000+00:00', 'ended on 2026-05-31']
  ])('%s is said as %s', (expires, text) => {
    expect(endText(expires, now, trans)).toBe(text);
  });

  it('says of a key that it was never used', () => {
    expect(keyText(makeKey('k1'), now, trans)).toMatch(/^made .+, never used · no end$/);
  });
});

describe('PeopleModel', () => {
  let server: FakeServer;
  let connection: Connection;
  let model: CoflowsModel;
  let people: PeopleModel;
  let me: IMe;
  let keys: IKey[];

  beforeEach(async () => {
    keys = [makeKey('old', { revoked: '2026-01-02' }), makeKey('first'), makeKey('second')];
    const names = { name: 'Ann', email: '', first_name: '', last_name: '' };
    me = {
      id: 'ann',
      ...names,
      source: 'session',
      level: -1,
      account: true,
      permissions: { w1: 1 }
    };
    server = new FakeServer({
      'GET coflows/api/health': () => json({}),
      'GET coflows/api/me': () => json(me),
      'GET coflows/api/me/keys': () => json({ keys }),
      'GET coflows/api/workflows': () => json({ workflows: [makeWorkflow('w1')] }),
      'GET coflows/api/workflows/w1': () => json(makeWorkflow('w1')),
      'GET coflows/api/workflows/w1/queries': () => json({ build: 'b1', queries: [] }),
      'GET coflows/api/groups/w1/members': () => json({ members: [] })
    });
    connection = new Connection(server.api);
    model = new CoflowsModel(server.api, connection);
    people = new PeopleModel(server.api, model, connection);
    await model.refresh();
    people.active = true;
    await until(() => people.known);
  });

  afterEach(() => {
    people.dispose();
    model.dispose();
    connection.dispose();
  });

  it('asks nobody without Write for members', async () => {
    expect(people.keys.map(({ id }) => id)).toEqual(['second', 'first']);
    expect(people.members).toBeNull();
    me = { ...me, permissions: { w1: 2 } };
    await people.refresh();
    expect(people.members).toEqual([]);
  });

  it('has the text of a new key until it is put away or the key revoked', async () => {
    const info = makeKey('third');
    const made = { key: 'cfk_third_0', info };
    server.routes['POST coflows/api/me/keys'] = () => json(made, { status: 201 });
    server.routes['DELETE coflows/api/me/keys/third'] = () => json(info);
    const wish = { name: '', scopes: [], expires: '' };
    people.creating = true;
    await people.createKey(wish);
    expect([people.made, people.creating]).toEqual([made, false]);
    people.putAway();
    expect(people.made).toBeNull();
    await people.createKey(wish);
    await people.revokeKey('third');
    expect(people.made).toBeNull();
  });

  it('sends changes of a member one after the other, each with what the one before it left', async () => {
    const sent: unknown[] = [];
    const member = { user: 'bob', group: 'w1', level: 1, expires: '', source: '' };
    server.routes['GET coflows/api/groups/w1/members'] = () => json({ members: [member] });
    server.routes['PUT coflows/api/groups/w1/members/bob'] = async request => {
      sent.push(await request.json());
      return new Response(null, { status: 204 });
    };
    me = { ...me, permissions: { w1: 2 } };
    await people.refresh();
    const first = people.setMember('bob', 2, '');
    expect(people.members).toEqual([{ ...member, level: 2 }]);
    await Promise.all([first, people.setMember('bob', 2, '7d')]);
    expect(sent).toEqual([
      { level: 2, expires: '' },
      { level: 2, expires: '7d' }
    ]);
    expect(people.members).toEqual([member]);
  });

  it("changes one's name and password, and closes the form for another Workflow", async () => {
    const sent: unknown[] = [];
    const keep = async (request: Request) => {
      sent.push(await request.json());
      return new Response(null, { status: 204 });
    };
    server.routes['PUT coflows/api/me/name'] = keep;
    server.routes['POST coflows/api/me/password'] = keep;
    people.editing = true;
    me = { ...me, first_name: 'Anna' };
    await people.setName('Anna', '');
    expect(people.me?.first_name).toBe('Anna');
    await people.setPassword('old one', 'new one');
    expect(sent).toEqual([
      { first_name: 'Anna', last_name: '' },
      { old: 'old one', new: 'new one' }
    ]);
    expect(people.editing).toBe(true);
  });

  it('leaves the form open when the server refuses', async () => {
    people.creating = true;
    const wish = { name: '', scopes: ['x'], expires: '' };
    await expect(people.createKey(wish)).rejects.toThrow('not here');
    expect(people.creating).toBe(true);
  });
});
