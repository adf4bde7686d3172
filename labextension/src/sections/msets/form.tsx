import { Button, HTMLSelect, addIcon } from '@jupyterlab/ui-components';
import type { JSONObject, JSONValue } from '@lumino/coreutils';
import * as React from 'react';
import { ApiError, errorText } from '../../api';
import { useServices } from '../../components/context';
import { filledFields, emptyFields, isObject, readFields, type IField } from './value';

interface IValueFormProps {
  label: string;
  accept: string;
  /** The value to edit; absent for a new one. */
  before?: JSONValue;
  /** Values of the set, which say what fields there are. */
  others: readonly JSONValue[];
  /** Takes the JSON; what it throws is shown in the form. */
  onSave: (text: string) => Promise<void>;
  onCancel: () => void;
}

/** A form for one value: a line per field, or JSON where the value is no object or the person prefers it. */
export function ValueForm(props: IValueFormProps): React.JSX.Element {
  const { before, others } = props;
  const { trans } = useServices();
  const [fields, setFields] = React.useState(() => fieldsFor(before, others));
  const [json, setJson] = React.useState<string | null>(() =>
    fieldsFor(before, others) === null ? textFor(before) : null
  );
  const [refused, setRefused] = React.useState('');
  const node = React.useRef<HTMLFormElement>(null);
  React.useEffect(() => {
    node.current?.querySelector<HTMLElement>('input, textarea')?.focus();
  }, []);

  const read = (): JSONValue =>
    json === null
      ? readFields(fields ?? [], isObject(before ?? null) ? (before as JSONObject) : {})
      : (JSON.parse(json) as JSONValue);
  const onSubmit = (event: React.FormEvent) => {
    event.preventDefault();
    try {
      const text = JSON.stringify(read());
      props.onSave(text).catch((error: unknown) => {
        const stale = error instanceof ApiError && error.problem.status === 412;
        setRefused(
          stale
            ? trans.__('Somebody changed it in the meantime. Close it and open it again.')
            : errorText(error)
        );
      });
    } catch (error) {
      setRefused(errorText(error));
    }
  };
  const onSwitch = () => {
    try {
      const value = read();
      setRefused('');
      setJson(json === null ? textFor(value) : null);
      setFields(isObject(value) ? filledFields(value, others) : fields);
    } catch (error) {
      setRefused(errorText(error));
    }
  };
  const secondary = 'jp-mod-styled jp-Coflows-secondary';
  return (
    <form
      ref={node}
      className="jp-Coflows-valueForm"
      aria-label={props.label}
      noValidate
      onSubmit={onSubmit}
    >
      {json !== null ? (
        <label className="jp-Coflows-field">
          {trans.__('JSON')}
          <textarea
            rows={6}
            spellCheck={false}
            value={json}
            placeholder={'{"name": "pear", "price": 2}'}
            onChange={event => setJson(event.target.value)}
          />
        </label>
      ) : (
        <Fields fields={fields ?? []} onChange={setFields} />
      )}
      {refused && (
        <p role="alert" className="jp-Coflows-fieldError">
          {refused}
        </p>
      )}
      <div className="jp-Coflows-actions">
        <Button type="submit" className="jp-mod-styled jp-mod-accept">
          {props.accept}
        </Button>
        <Button type="button" className={secondary} onClick={props.onCancel}>
          {trans.__('Cancel')}
        </Button>
        <button type="button" className="jp-Coflows-link" onClick={onSwitch}>
          {json === null ? trans.__('As JSON') : trans.__('As a form')}
        </button>
      </div>
    </form>
  );
}

interface IFieldsProps {
  fields: readonly IField[];
  onChange: (fields: IField[]) => void;
}

function Fields({ fields, onChange }: IFieldsProps): React.JSX.Element {
  const { trans } = useServices();
  const [name, setName] = React.useState('');
  const add = () => {
    if (name.trim() !== '' && !fields.some(field => field.name === name.trim())) {
      onChange([...fields, { name: name.trim(), kind: 'any', text: '' }]);
      setName('');
    }
  };
  return (
    <>
      {fields.map((field, index) => (
        <label key={field.name} className="jp-Coflows-field">
          {field.name}
          <FieldInput
            field={field}
            onChange={text =>
              onChange(fields.map((old, at) => (at === index ? { ...old, text } : old)))
            }
          />
        </label>
      ))}
      <div className="jp-Coflows-newField">
        <input
          className="jp-mod-styled"
          aria-label={trans.__('Name of a further field')}
          placeholder={trans.__('further field')}
          spellCheck={false}
          value={name}
          onChange={event => setName(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter' && name.trim() !== '') {
              event.preventDefault();
              add();
            }
          }}
        />
        <button type="button" className="jp-Coflows-link" onClick={add}>
          <addIcon.react tag="span" /> {trans.__('Add field')}
        </button>
      </div>
    </>
  );
}

interface IFieldInputProps {
  field: IField;
  onChange: (text: string) => void;
}

function FieldInput({ field, onChange }: IFieldInputProps): React.JSX.Element {
  const common = { value: field.text, spellCheck: false };
  switch (field.kind) {
    case 'boolean':
      return (
        <HTMLSelect
          value={field.text}
          onChange={event => onChange(event.currentTarget.value)}
          options={['', 'true', 'false']}
        />
      );
    case 'json':
      return (
        <textarea {...common} rows={4} onChange={event => onChange(event.currentTarget.value)} />
      );
    default:
      return (
        <input
          {...common}
          inputMode={field.kind === 'number' ? 'decimal' : 'text'}
          onChange={event => onChange(event.target.value)}
        />
      );
  }
}

function fieldsFor(before: JSONValue | undefined, others: readonly JSONValue[]): IField[] | null {
  if (before === undefined) {
    return emptyFields(others);
  }
  return isObject(before) ? filledFields(before, others) : null;
}

function textFor(value: JSONValue | undefined): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2);
}
