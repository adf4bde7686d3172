import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { ErrorSchema, FieldTemplateProps, ValidatorType } from '@rjsf/utils';
import * as React from 'react';
import type { IFound } from './model';
import { argumentsOf, formOf, typeText, type Draft } from '../../schema';
import type { IFieldError, IParameter } from '../../rest';
import { useServices } from '../../components/context';

type Data = ReadonlyJSONObject;

export interface IFunctionFormProps {
  found: IFound;
  /** Fields that the server refused. */
  errors: readonly IFieldError[];
  /** Run and its neighbours, drawn below the fields. */
  children: React.ReactNode;
  onSubmit: () => void;
}

/** The parameters of a function as a form; Enter runs, Ctrl+Enter also from a field with several lines. */
export function FunctionForm(props: IFunctionFormProps): React.JSX.Element {
  const { calls, trans } = useServices();
  const { parameters } = props.found.target;
  const validator = useValidator();
  const form = React.useMemo(() => formOf(parameters), [parameters]);
  const draft = calls.draft(props.found);
  if (!validator) {
    return <p className="jp-Coflows-muted">{trans.__('Preparing the form…')}</p>;
  }
  return (
    <div className="jp-Coflows-form" onKeyDown={submitOnAccelEnter}>
      <FormComponent
        key={`${props.found.query.id}/${props.found.target.name}`}
        idPrefix="coflows-argument"
        schema={form.schema}
        uiSchema={form.uiSchema}
        validator={validator}
        templates={{ FieldTemplate: Field }}
        formContext={parameters}
        formData={draft as Data}
        extraErrors={errorSchema(props.errors)}
        customValidate={(data, errors) => {
          for (const { field, message } of argumentsOf(parameters, data as Draft).errors) {
            (errors as Record<string, { addError(text: string): void } | undefined>)[
              field
            ]?.addError(message);
          }
          return errors;
        }}
        transformErrors={errors => errors.filter(({ name }) => name !== 'required')}
        noHtml5Validate
        focusOnFirstError
        showErrorList={false}
        onChange={event => calls.setDraft(props.found, event.formData as Draft)}
        onSubmit={props.onSubmit}
      >
        {props.children}
      </FormComponent>
    </div>
  );
}

/** One field: name and type, the input, what is wrong, what it means. */
function Field(props: FieldTemplateProps): React.JSX.Element {
  const { id, label, children, rawErrors = [], required, schema } = props;
  const { trans } = useServices();
  const parameter = (props.formContext as IParameter[]).find(({ name }) => name === label);
  if (!parameter) {
    return <>{children}</>;
  }
  return (
    <div className="jp-Coflows-field" data-invalid={rawErrors.length > 0}>
      <label htmlFor={id}>
        <span className="jp-Coflows-label" title={label}>
          {label}
        </span>
        {required && (
          <span className="jp-Coflows-required" title={trans.__('A value is needed')}>
            *
          </span>
        )}
        <span className="jp-Coflows-muted" title={typeText(parameter)}>
          {typeText(parameter)}
        </span>
      </label>
      {children}
      <div id={`${id}__error`} role="alert" className="jp-Coflows-fieldError">
        {[...new Set(rawErrors)].map(message => (
          <div key={message}>{message}</div>
        ))}
      </div>
      {schema.description && (
        <div id={`${id}__description`} className="jp-Coflows-muted">
          {schema.description}
        </div>
      )}
    </div>
  );
}

/** The schema checker is large, so it is only fetched when a form is drawn. */
function useValidator(): ValidatorType<Data> | null {
  const [validator, setValidator] = React.useState<ValidatorType<Data> | null>(null);
  React.useEffect(() => {
    let wanted = true;
    void import('@rjsf/validator-ajv8').then(({ customizeValidator }) => {
      if (wanted) {
        setValidator(customizeValidator<Data>());
      }
    });
    return () => {
      wanted = false;
    };
  }, []);
  return validator;
}

function errorSchema(errors: readonly IFieldError[]): ErrorSchema<Data> {
  const fields = errors.map(({ field, message }) => [field, { __errors: [message] }]);
  return Object.fromEntries(fields) as ErrorSchema<Data>;
}

function submitOnAccelEnter(event: React.KeyboardEvent<HTMLElement>): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.currentTarget.querySelector('form')?.requestSubmit();
  }
}
