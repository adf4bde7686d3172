import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ICommandsOptions } from '../commands';
import type { IServices } from '../components/context';
import { CommandIDs } from '../tokens';
import { addAgentCommands } from './agents/commands';
import { AgentsSection } from './agents/section';
import { addMSetCommands } from './msets/commands';
import { MSetsSection } from './msets/section';
import { addPeopleCommands } from './people/commands';
import { PeopleSection } from './people/section';
import { addCopyCommands, addFunctionCommands } from './queries/commands';
import { QueriesSection } from './queries/section';
import { addRunCommands } from './runs/commands';
import { RunsSection } from './runs/section';
import { addWorkflowCommands } from './workflow/commands';
import { WorkflowSection } from './workflow/section';

/** A section of the sidebar. */
export interface ISection {
  /** The command `coflows:show-ID` shows it. */
  id: string;
  title: (trans: TranslationBundle) => string;
  body: React.JSX.Element;
  /** Height in proportion to the other open sections. */
  size: number;
  /** Whether it is closed until somebody opens it. */
  closed?: boolean;
  /** Buttons of its head: command and label, which may be empty. */
  toolbar?: (trans: TranslationBundle) => [string, string][];
  /** What works only while somebody looks. */
  model?: (services: IServices) => { active: boolean };
  addCommands: (options: ICommandsOptions) => void;
}

/** All sections, from top to bottom. A new one is a folder beside this file and an entry here. */
export const SECTIONS: readonly ISection[] = [
  {
    id: 'workflow',
    title: trans => trans.__('Workflow'),
    body: <WorkflowSection />,
    size: 2.5,
    toolbar: trans => [
      [CommandIDs.build, trans.__('Build')],
      [CommandIDs.refresh, '']
    ],
    addCommands: addWorkflowCommands
  },
  {
    id: 'queries',
    title: trans => trans.__('Queries'),
    body: <QueriesSection />,
    size: 6,
    addCommands: options => {
      addFunctionCommands(options);
      addCopyCommands(options);
    }
  },
  {
    id: 'runs',
    title: trans => trans.__('Runs'),
    body: <RunsSection />,
    size: 5,
    closed: true,
    model: ({ runs }) => runs,
    addCommands: addRunCommands
  },
  {
    id: 'agents',
    title: trans => trans.__('Agents'),
    body: <AgentsSection />,
    size: 6,
    closed: true,
    model: ({ agents }) => agents,
    addCommands: addAgentCommands
  },
  {
    id: 'msets',
    title: trans => trans.__('M sets'),
    body: <MSetsSection />,
    size: 6,
    closed: true,
    toolbar: () => [
      [CommandIDs.newMSet, ''],
      [CommandIDs.refreshMSets, '']
    ],
    model: ({ msets }) => msets,
    addCommands: addMSetCommands
  },
  {
    id: 'people',
    title: trans => trans.__('People'),
    body: <PeopleSection />,
    size: 5,
    closed: true,
    toolbar: () => [[CommandIDs.refreshPeople, '']],
    model: ({ people }) => people,
    addCommands: addPeopleCommands
  }
];
