import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { JSONObject, JSONValue } from '@lumino/coreutils';
import * as React from 'react';
import { Services, useServices, type IServices } from '../components/context';
import type { IFieldError, INotebookJob, INotebookParameter } from '../rest';
import { ScheduleEditor } from './editor';

interface IJobFormProps {
  job: INotebookJob;
  parameters: readonly INotebookParameter[];
  /** Whether its ID can be chosen. */
  fresh: boolean;
  refused: readonly IFieldError[];
  onChange: (job: INotebookJob) => void;
}

/**
 * Let a person say when a notebook runs, and with what.
 *
 * @param job - what the form begins with.
 * @param refused - what the server did not take, said in the form.
 * @returns null when the person thought better of it.
 */
export async function askJob(
  services: IServices,
  title: string,
  form: Omit<IJobFormProps, 'onChange'>
): Promise<INotebookJob | null> {
  const { trans } = services;
  const result = await showDialog({
    title,
    body: new JobBody(services, form),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Schedule') })
    ],
    focusNodeSelector: form.refused.length > 0 ? '[aria-invalid=true]' : 'input, select'
  });
  return result.button.accept ? result.value : null;
}

class JobBody extends ReactWidget implements Dialog.IBodyWidget<INotebookJob> {
  constructor(
    private _services: IServices,
    private _form: Omit<IJobFormProps, 'onChange'>
  ) {
    super();
    this._job = _form.job;
    this.addClass('jp-Coflows');
    this.addClass('jp-Coflows-dialog');
  }

  getValue(): INotebookJob {
    return this._job;
  }

  protected render(): React.JSX.Element {
    return (
      <Services.Provider value={this._services}>
        <JobForm
          {...this._form}
          onChange={job => {
            this._job = job;
          }}
        />
      </Services.Provider>
    );
  }

  private _job: INotebookJob;
}

function JobForm(props: IJobFormProps): React.JSX.Element {
  const { fresh, parameters, refused, onChange } = props;
  const { trans } = useServices();
  const [job, setJob] = React.useState(props.job);
  const [texts, setTexts] = React.useState(() => textsOf(props.job.parameters));
  const change = (more: Partial<INotebookJob>) => {
    const changed = { ...job, ...more };
    setJob(changed);
    onChange(changed);
  };
  const problem = refused.map(({ message }) => message).join('; ');
  return (
    <>
      <div className="jp-Coflows-schedule">
        <label htmlFor="coflows-job-id">{trans.__('Name')}</label>
        <input
          id="coflows-job-id"
          className="jp-mod-styled"
          spellCheck={false}
          disabled={!fresh}
          value={job.id}
          aria-invalid={problem !== ''}
          onChange={event => change({ id: event.target.value.trim() })}
        />
        {problem && (
          <p role="alert" className="jp-Coflows-dialogError">
            {problem}
          </p>
        )}
        {parameters.map(({ name, value }) => (
          <React.Fragment key={name}>
            <label htmlFor={`coflows-job-${name}`}>
              <code>{name}</code>
            </label>
            <input
              id={`coflows-job-${name}`}
              className="jp-mod-styled"
              spellCheck={false}
              placeholder={value}
              value={texts[name] ?? ''}
              onChange={event => {
                const typed = { ...texts, [name]: event.target.value };
                setTexts(typed);
                change({ parameters: valuesOf(typed) });
              }}
            />
          </React.Fragment>
        ))}
      </div>
      <ScheduleEditor text={job.schedule} onChange={schedule => change({ schedule })} />
    </>
  );
}

/** Values as a person types them: JSON, or a text without quotes. */
export function textsOf(values: JSONObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' && readValue(value) === value ? value : JSON.stringify(value)
    ])
  );
}

/** The values that were typed; an empty one keeps what the notebook says. */
export function valuesOf(texts: Record<string, string>): JSONObject {
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([, text]) => text.trim() !== '')
      .map(([name, text]) => [name, readValue(text)])
  );
}

function readValue(text: string): JSONValue {
  try {
    return JSON.parse(text) as JSONValue;
  } catch {
    return text;
  }
}
