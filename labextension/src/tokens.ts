import { Token } from '@lumino/coreutils';
import type { MSetsModel } from './sections/msets/model';
import type { PeopleModel } from './sections/people/model';
import type { AgentsModel } from './sections/agents/model';
import type { CallsModel } from './sections/queries/model';
import type { RunsModel } from './sections/runs/model';
import type { CoflowsModel } from './sections/workflow/model';

/** Names our texts to Lab's translations. */
export const DOMAIN = 'coflows_jupyter';

export const PANEL_ID = 'coflows-panel';

export namespace CommandIDs {
  export const openPanel = 'coflows:open-panel';
  export const refresh = 'coflows:refresh';
  export const build = 'coflows:build';
  export const selectWorkflow = 'coflows:select-workflow';
  export const run = 'coflows:run-function';
  export const cancel = 'coflows:cancel-function';
  export const openResult = 'coflows:open-result';
  export const openSource = 'coflows:open-source';
  export const openAt = 'coflows:open-at';
  export const runUnderCursor = 'coflows:run-under-cursor';
  export const newQuery = 'coflows:new-query';
  export const newBase = 'coflows:new-base';
  export const newWorkflow = 'coflows:new-workflow';
  export const addAsQuery = 'coflows:add-as-query';
  export const addAsBase = 'coflows:add-as-base';
  export const copyCurl = 'coflows:copy-curl';
  export const copyCommand = 'coflows:copy-command';
  export const copyPython = 'coflows:copy-python';
  export const runAgain = 'coflows:run-again';
  export const cancelRun = 'coflows:cancel-run';
  export const openRunResult = 'coflows:open-run-result';
  export const copyRunCell = 'coflows:copy-run-cell';
  export const copyRunCurl = 'coflows:copy-run-curl';
  export const openApiPage = 'coflows:open-api-page';
  export const copyOpenApi = 'coflows:copy-openapi-url';
  export const refreshMSets = 'coflows:refresh-m-sets';
  export const newMSet = 'coflows:new-m-set';
  export const openMSet = 'coflows:open-m-set';
  export const removeMEntry = 'coflows:remove-m-entry';
  export const copyMSetCell = 'coflows:copy-m-set-cell';
  export const copyMSetCurl = 'coflows:copy-m-set-curl';
  export const refreshPeople = 'coflows:refresh-people';
  export const editAccount = 'coflows:edit-account';
  export const newKey = 'coflows:new-key';
  export const copyNewKey = 'coflows:copy-new-key';
  export const revokeKey = 'coflows:revoke-key';
  export const removeMember = 'coflows:remove-member';
  export const startAgent = 'coflows:start-agent';
  export const pauseAgent = 'coflows:pause-agent';
  export const stopAgent = 'coflows:stop-agent';
  export const runAgent = 'coflows:run-agent';
  export const editSchedule = 'coflows:edit-schedule';
  export const scheduleNotebook = 'coflows:schedule-notebook';
  export const unscheduleNotebook = 'coflows:unschedule-notebook';
  export const openAgentNotebook = 'coflows:open-agent-notebook';
  export const openAgentSource = 'coflows:open-agent-source';
  export const openAgentRun = 'coflows:open-agent-run';
  export const explainAgentRun = 'coflows:explain-agent-run';
  export const cancelAgentRun = 'coflows:cancel-agent-run';
}

/** What the server's REST answers; the field names are those of its OpenAPI document. */

/** What other extensions may use: the state of the server's Workflows, and the calls made from this page and elsewhere. */
export interface ICoflows {
  readonly model: CoflowsModel;
  readonly calls: CallsModel;
  readonly runs: RunsModel;
  readonly people: PeopleModel;
  readonly agents: AgentsModel;
  readonly msets: MSetsModel;
}

export const ICoflows = new Token<ICoflows>(
  'coflows-jupyter:ICoflows',
  'The Workflows of this server and the calls made from this page.'
);
