import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useServices } from '../components/context';
import { errorText } from '../api';
import type { ISchedulePreview } from '../rest';
import { changeKind, readSchedule, writeSchedule, type Plan, type PlanKind } from './quartz';
import { Upcoming } from './upcoming';

const PAUSE = 250;

interface IScheduleEditorProps {
  text: string;
  onChange: (text: string) => void;
}

/** Makes a schedule by a form or by its text, and says what it means. */
export function ScheduleEditor({ text, onChange }: IScheduleEditorProps): React.JSX.Element {
  const { trans } = useServices();
  const read = readSchedule(text);
  // A text that the form could write stays a text when that is what the person asked for.
  const [asText, setAsText] = React.useState(read.plan.kind === 'other');
  const { plan, zone } = asText ? { plan: { kind: 'other' } as Plan, zone: '' } : read;
  const write = (plan: Plan, zone: string) => onChange(writeSchedule({ plan, zone }) ?? text);
  const kinds: Record<PlanKind, string> = {
    minutes: trans.__('every few minutes'),
    hours: trans.__('every few hours'),
    daily: trans.__('every day'),
    weekdays: trans.__('Monday to Friday'),
    monthly: trans.__('every month'),
    other: trans.__('as text')
  };
  return (
    <div className="jp-Coflows-schedule">
      <label htmlFor="coflows-schedule-kind">{trans.__('Runs')}</label>
      <HTMLSelect
        id="coflows-schedule-kind"
        value={plan.kind}
        onChange={event => {
          const kind = event.currentTarget.value as PlanKind;
          setAsText(kind === 'other');
          write(changeKind(plan, kind), zone || (asText ? hereZone() : ''));
        }}
        options={Object.entries(kinds).map(([value, label]) => ({ value, label }))}
      />
      {plan.kind !== 'other' && (
        <>
          <PlanFields plan={plan} onChange={plan => write(plan, zone)} />
          <ZoneField zone={zone} onChange={zone => write(plan, zone)} />
        </>
      )}
      <label htmlFor="coflows-schedule-text">{trans.__('Quartz text')}</label>
      <input
        id="coflows-schedule-text"
        className="jp-mod-styled"
        spellCheck={false}
        value={text}
        aria-describedby="coflows-schedule-preview"
        onChange={event => {
          setAsText(true);
          onChange(event.target.value);
        }}
      />
      <Preview text={text} />
    </div>
  );
}

interface IPlanFieldsProps {
  plan: Plan;
  onChange: (plan: Plan) => void;
}

function PlanFields({ plan, onChange }: IPlanFieldsProps): React.JSX.Element | null {
  const { trans } = useServices();
  switch (plan.kind) {
    case 'minutes':
      return (
        <NumberField
          name="every"
          label={trans.__('Minutes between')}
          value={plan.every}
          range={[1, 59]}
          onChange={every => onChange({ ...plan, every })}
        />
      );
    case 'hours':
      return (
        <>
          <NumberField
            name="every"
            label={trans.__('Hours between')}
            value={plan.every}
            range={[1, 23]}
            onChange={every => onChange({ ...plan, every })}
          />
          <NumberField
            name="minute"
            label={trans.__('Minute of the hour')}
            value={plan.minute}
            range={[0, 59]}
            onChange={minute => onChange({ ...plan, minute })}
          />
        </>
      );
    case 'daily':
    case 'weekdays':
    case 'monthly':
      return (
        <>
          {plan.kind === 'monthly' && (
            <>
              <label htmlFor="coflows-schedule-day">{trans.__('Day')}</label>
              <HTMLSelect
                id="coflows-schedule-day"
                value={plan.day}
                onChange={event => onChange({ ...plan, day: event.currentTarget.value })}
                options={[
                  ...Array.from({ length: 31 }, (_, index) => ({ value: String(index + 1) })),
                  { value: 'L', label: trans.__('the last') }
                ]}
              />
            </>
          )}
          <label htmlFor="coflows-schedule-time">{trans.__('Time')}</label>
          <input
            id="coflows-schedule-time"
            type="time"
            className="jp-mod-styled"
            required
            value={plan.time}
            onChange={event =>
              event.target.value && onChange({ ...plan, time: event.target.value })
            }
          />
        </>
      );
    case 'other':
      return null;
  }
}

interface INumberFieldProps {
  name: string;
  label: string;
  value: number;
  range: [number, number];
  onChange: (value: number) => void;
}

function NumberField({
  name,
  label,
  value,
  range,
  onChange
}: INumberFieldProps): React.JSX.Element {
  const [low, high] = range;
  return (
    <>
      <label htmlFor={`coflows-schedule-${name}`}>{label}</label>
      <input
        id={`coflows-schedule-${name}`}
        type="number"
        className="jp-mod-styled"
        min={low}
        max={high}
        value={value}
        onChange={event =>
          onChange(Math.min(high, Math.max(low, event.target.valueAsNumber || low)))
        }
      />
    </>
  );
}

interface IZoneFieldProps {
  zone: string;
  onChange: (zone: string) => void;
}

function ZoneField({ zone, onChange }: IZoneFieldProps): React.JSX.Element {
  const { trans } = useServices();
  const zones = React.useMemo(() => {
    const known = Intl.supportedValuesOf('timeZone').filter(name => name !== 'UTC');
    return zone && !known.includes(zone) ? [zone, ...known] : known;
  }, [zone]);
  return (
    <>
      <label htmlFor="coflows-schedule-zone">{trans.__('Time zone')}</label>
      <HTMLSelect
        id="coflows-schedule-zone"
        value={zone}
        onChange={event => onChange(event.currentTarget.value)}
        options={[{ value: '', label: 'UTC' }, ...zones.map(value => ({ value }))]}
      />
    </>
  );
}

/** What a text means, asked when typing pauses. */
function Preview({ text }: { text: string }): React.JSX.Element {
  const { agents, trans } = useServices();
  const [found, setFound] = React.useState<ISchedulePreview | string | null>(null);
  React.useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      agents
        .preview(text)
        .then(preview => current && setFound(preview))
        .catch((error: unknown) => current && setFound(errorText(error)));
    }, PAUSE);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [agents, text]);
  if (typeof found === 'string') {
    return (
      <p id="coflows-schedule-preview" role="alert" className="jp-Coflows-dialogError">
        {found}
      </p>
    );
  }
  return (
    <div id="coflows-schedule-preview" aria-live="polite" className="jp-Coflows-preview">
      {found && (
        <>
          <p>{found.words}</p>
          <Upcoming times={found.upcoming} schedule={text} />
          {found.upcoming.length === 0 && <p>{trans.__('It is never due again.')}</p>}
        </>
      )}
    </div>
  );
}

/** The time zone of whoever is at this page. */
export function hereZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone === 'UTC' ? '' : zone;
}
