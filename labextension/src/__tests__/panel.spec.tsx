import { RenderMimeRegistry } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import type { JSONObject } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';
import { AgentsModel } from '../sections/agents/model';
import { CallsModel } from '../sections/queries/model';
import { CoflowsPanel } from '../components/panel';
import { Connection } from '../connection';
import { CoflowsModel } from '../sections/workflow/model';
import { PeopleModel } from '../sections/people/model';
import { MSetsModel } from '../sections/msets/model';
import { RunsModel } from '../sections/runs/model';
import type { IWorkflow } from '../rest';
import { CommandIDs } from '../tokens';
import {
  FakeServer,
  json,
  makeFunction,
  makeQuery,
  makeWorkflow,
  parameter,
  until
} from './fixtures';

const LIST = 'GET coflows/api/workflows';

const add = makeFunction('Add', [
  parameter('x', { annotation: 'int', schema: { type: 'integer' }, description: 'the first' }),
  parameter('y', { schema: { type: 'integer' }, required: false, default: '2' })
]);
const locked = { ...makeFunction('locked'), callable: false };

describe('CoflowsPanel', () => {
  let server: FakeServer;
  let connection: Connection;
  let model: CoflowsModel;
  let calls: CallsModel;
  let runs: RunsModel;
  let people: PeopleModel;
  let agents: AgentsModel;
  let msets: MSetsModel;
  let panel: CoflowsPanel;
  let executed: [string, JSONObject][];

  async function show(...workflows: IWorkflow[]): Promise<void> {
    server = new FakeServer({ [LIST]: () => json({ workflows }) });
    for (const workflow of workflows) {
      server.routes[`${LIST}/${workflow.id}`] = () => json(workflow);
      server.routes[`${LIST}/${workflow.id}/queries`] = () =>
        json({ build: 'b1', queries: [makeQuery([add, locked])] });
    }
    connection = new Connection(server.api);
    model = new CoflowsModel(server.api, connection);
    calls = new CallsModel(server.api, model);
    const commands = new CommandRegistry();
    for (const id of Object.values(CommandIDs)) {
      commands.addCommand(id, {
        execute: args => {
          executed.push([id, args as JSONObject]);
          return id === CommandIDs.run ? calls.run(calls.selected!) : undefined;
        }
      });
    }
    const trans = nullTranslator.load('coflows_jupyter');
    runs = new RunsModel(server.api, model, connection);
    people = new PeopleModel(server.api, model, connection);
    msets = new MSetsModel(server.api, model, connection);
    const rendermime = new RenderMimeRegistry();
    agents = new AgentsModel(server.api, model, connection);
    const services = {
      model,
      calls,
      runs,
      people,
      agents,
      msets,
      commands,
      trans,
      rendermime
    };
    panel = new CoflowsPanel(services, nullTranslator);
    Widget.attach(panel, document.body);
    await model.refresh();
  }

  const text = () => panel.node.textContent;
  const find = (selector: string) => panel.node.querySelector<HTMLElement>(selector)!;
  const press = (key: string) =>
    document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));

  beforeAll(() => {
    // jsdom has no layout, so nothing to scroll.
    Element.prototype.scrollIntoView = () => undefined;
  });

  beforeEach(() => {
    executed = [];
  });

  afterEach(() => {
    panel.dispose();
    calls.dispose();
    runs.dispose();
    people.dispose();
    agents.dispose();
    msets.dispose();
    model.dispose();
    connection.dispose();
  });

  it('says what to do where the server has no Workflow', async () => {
    await show();
    await until(() => text().includes('This folder holds no Workflow'));
    expect(text()).toContain('coflows new');
  });

  it('shows findings, errors first, and opens the one that is clicked', async () => {
    const finding = { file: '/srv/w1/a.py', path: 'a.py', line: 3, column: 5, code: 'x', hint: '' };
    const diagnostics = [
      { ...finding, severity: 'warning' as const, message: 'careful' },
      { ...finding, severity: 'error' as const, message: 'wrong', line: 7 },
      { ...finding, severity: 'info' as const, message: 'elsewhere', path: null }
    ];
    await show(makeWorkflow('w1', { state: 'failed', reasons: ['no Build serves'], diagnostics }));
    await until(() => text().includes('careful'));
    expect(text()).toContain('no Build serves');
    const [first, , last] = panel.node.querySelectorAll<HTMLButtonElement>('.jp-Coflows-finding');
    expect(first.textContent).toContain('wronga.py:7:5');
    expect(last.disabled).toBe(true);
    first.click();
    expect(executed).toEqual([[CommandIDs.openAt, { path: 'a.py', line: 7, column: 5 }]]);
  });

  it('says how safely the server is reached, and why that is not better', async () => {
    const certificate = {
      state: 'failed' as const,
      source: 'letsencrypt' as const,
      issuer: 'R13',
      ends: '2026-12-24T12:00:00+00:00',
      reason: 'no such name',
      next_try: '2026-11-25T12:00:00+00:00'
    };
    await show(makeWorkflow('w1', { certificate }));
    await until(() => text().includes('Encryption'));
    expect(text()).toContain('https, with a certificate of R13 until');
    expect(text()).toContain('No new certificate could be had: no such name. It is tried again at');
  });

  it('offers a choice only among several Workflows', async () => {
    await show(makeWorkflow('w1'), makeWorkflow('w2'));
    await until(() => panel.node.querySelectorAll('option').length === 2);
    const select = panel.node.querySelector('select')!;
    select.value = 'w2';
    select.dispatchEvent(new Event('change', { bubbles: true }));
    await until(() => model.workflow?.id === 'w2');
  });

  it('walks the tree by arrow keys and selects by Enter', async () => {
    await show(makeWorkflow('w1'));
    await until(() => panel.node.querySelectorAll('[role=treeitem]').length === 3);
    find('[role=treeitem]').focus();
    press('ArrowDown');
    expect(document.activeElement?.textContent).toContain('Add');
    press('Enter');
    expect(calls.selection).toEqual({ query: 'q1', function: 'Add' });
    await until(() => document.activeElement?.getAttribute('aria-selected') === 'true');
    press('ArrowLeft');
    press('ArrowLeft');
    await until(() => panel.node.querySelectorAll('[role=treeitem]').length === 1);
  });

  it('makes a form of the signature, and puts what the server refuses at its field', async () => {
    await show(makeWorkflow('w1'));
    const errors = [{ field: 'x', message: 'too small', value: '0' }];
    server.routes['POST flow/query/w1/q1/Add'] = () =>
      json({ title: 'Does not fit', status: 422, detail: '', errors }, { status: 422 });
    calls.select({ query: 'q1', function: 'Add' });
    calls.setArguments(calls.selected!, { x: 0 });
    await until(() => panel.node.querySelectorAll('.jp-Coflows-form input').length === 2);
    expect(find('label[for=coflows-argument_x]').textContent).toBe('x*int');
    expect(find('#coflows-argument_x__description').textContent).toBe('the first');
    expect(panel.node.querySelector<HTMLInputElement>('#coflows-argument_y')?.value).toBe('2');

    find('button[type=submit]').click();
    await until(() => find('#coflows-argument_x__error').textContent === 'too small');
    expect(text()).toContain('Does not fit');
  });

  it('shows a table, and lets nobody run what is locked', async () => {
    await show(makeWorkflow('w1'));
    server.routes['POST flow/query/w1/q1/Add'] = () => json([{ a: 1, b: 'x' }]);
    calls.select({ query: 'q1', function: 'Add' });
    calls.setArguments(calls.selected!, { x: 1 });
    await until(() => panel.node.querySelector('button[type=submit]') !== null);
    find('button[type=submit]').click();
    await until(() => panel.node.querySelector('table') !== null);
    expect(find('table').textContent).toBe('ab1x');

    calls.select({ query: 'q1', function: 'locked' });
    await until(() => text().includes('You may look at it, but not call it.'));
    expect(panel.node.querySelector<HTMLButtonElement>('button[type=submit]')?.disabled).toBe(true);
  });
});
