import { HTMLSelect, addIcon, closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices } from '../../components/context';
import type { SetModel } from './set';
import { OPERATORS, conditionText } from './value';

const SIGNS: Partial<Record<string, string>> = {
  eq: '=',
  ne: '≠',
  gt: '>',
  gte: '≥',
  lt: '<',
  lte: '≤'
};

interface IFilterProps {
  set: SetModel;
  /** Fields that entries have. */
  fields: readonly string[];
}

/** Conditions that the server narrows the entries by, and a line to add one. */
export function Filter({ set, fields }: IFilterProps): React.JSX.Element {
  const { trans } = useServices();
  const [field, setField] = React.useState('');
  const [op, setOp] = React.useState('eq');
  const [value, setValue] = React.useState('');
  const list = React.useId();
  const onSubmit = (event: React.FormEvent) => {
    event.preventDefault();
    const condition = { field: field.trim(), op, value: conditionText(op, value) };
    const others = set.conditions.filter(one => one.field !== condition.field || one.op !== op);
    set.conditions = [...others, condition];
    setField('');
    setValue('');
  };
  const add = trans.__('Add the condition');
  return (
    <>
      <form className="jp-Coflows-condition" aria-label={trans.__('Filter')} onSubmit={onSubmit}>
        <input
          className="jp-mod-styled"
          aria-label={trans.__('Field')}
          placeholder={trans.__('field')}
          required
          list={list}
          spellCheck={false}
          value={field}
          onChange={event => setField(event.target.value)}
        />
        <datalist id={list}>
          {fields.map(name => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <HTMLSelect
          aria-label={trans.__('Operator')}
          value={op}
          onChange={event => setOp(event.currentTarget.value)}
          options={OPERATORS.map(name => ({ value: name, label: SIGNS[name] ?? name }))}
        />
        <input
          className="jp-mod-styled"
          aria-label={trans.__('Value')}
          placeholder={op === 'in' ? trans.__('a, b') : trans.__('value')}
          spellCheck={false}
          value={value}
          onChange={event => setValue(event.target.value)}
        />
        <button type="submit" className="jp-Coflows-icon" title={add} aria-label={add}>
          <addIcon.react tag="span" />
        </button>
      </form>
      {set.conditions.length > 0 && (
        <ul className="jp-Coflows-conditions" aria-label={trans.__('Conditions')}>
          {set.conditions.map(condition => (
            <Condition
              key={`${condition.field} ${condition.op}`}
              text={`${condition.field} ${SIGNS[condition.op] ?? condition.op} ${condition.value}`}
              onRemove={() => (set.conditions = set.conditions.filter(one => one !== condition))}
            />
          ))}
        </ul>
      )}
    </>
  );
}

function Condition(props: { text: string; onRemove: () => void }): React.JSX.Element {
  const { trans } = useServices();
  const remove = trans.__('Remove the condition %1', props.text);
  return (
    <li className="jp-Coflows-badge">
      {props.text}
      <button
        type="button"
        className="jp-Coflows-icon"
        title={remove}
        aria-label={remove}
        onClick={props.onRemove}
      >
        <closeIcon.react tag="span" />
      </button>
    </li>
  );
}
