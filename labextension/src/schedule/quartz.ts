/** A schedule that a form can make; `other` is any text that it can't. */
export type Plan =
  | { kind: 'minutes'; every: number }
  | { kind: 'hours'; every: number; minute: number }
  | { kind: 'daily' | 'weekdays'; time: string }
  | { kind: 'monthly'; day: string; time: string }
  | { kind: 'other' };

export type PlanKind = Plan['kind'];

/** A plan and the time zone that its clock shows; the empty zone is UTC. */
export interface IScheduled {
  plan: Plan;
  zone: string;
}

const TIME = '(\\d{1,2}) (\\d{1,2})';

const READERS: [RegExp, (found: string[]) => Plan][] = [
  [/^0 0\/(\d+) \* (?:\?|\*) \* (?:\*|\?)$/, ([n]) => ({ kind: 'minutes', every: Number(n) })],
  [
    /^0 (\d+) 0\/(\d+) (?:\?|\*) \* (?:\*|\?)$/,
    ([minute, n]) => ({ kind: 'hours', every: Number(n), minute: Number(minute) })
  ],
  [
    new RegExp(`^0 ${TIME} (?:\\?|\\*) \\* (?:\\*|\\?)$`),
    ([minute, hour]) => ({ kind: 'daily', time: clock(hour, minute) })
  ],
  [
    new RegExp(`^0 ${TIME} \\? \\* (?:MON-FRI|2-6)$`, 'i'),
    ([minute, hour]) => ({ kind: 'weekdays', time: clock(hour, minute) })
  ],
  [
    new RegExp(`^0 ${TIME} (\\d{1,2}|L) \\* \\?$`, 'i'),
    ([minute, hour, day]) => ({
      kind: 'monthly',
      day: day.toUpperCase(),
      time: clock(hour, minute)
    })
  ]
];

/** Read a schedule into a form. */
export function readSchedule(text: string): IScheduled {
  const [cron, zone = '', ...rest] = text.split('@').map(part => part.trim());
  const found = READERS.map(([pattern, make]) => {
    const match = pattern.exec(cron.replace(/\s+/g, ' '));
    return match && make(match.slice(1));
  }).find(Boolean);
  return found && rest.length === 0
    ? { plan: found, zone: zone === 'UTC' ? '' : zone }
    : { plan: { kind: 'other' }, zone: '' };
}

/** Write what a form says as Quartz text; null for `other`, which only a text says. */
export function writeSchedule({ plan, zone }: IScheduled): string | null {
  const cron = writePlan(plan);
  return cron && zone ? `${cron} @ ${zone}` : cron;
}

function writePlan(plan: Plan): string | null {
  switch (plan.kind) {
    case 'minutes':
      return `0 0/${plan.every} * ? * *`;
    case 'hours':
      return `0 ${plan.minute} 0/${plan.every} ? * *`;
    case 'daily':
      return `0 ${fields(plan.time)} ? * *`;
    case 'weekdays':
      return `0 ${fields(plan.time)} ? * MON-FRI`;
    case 'monthly':
      return `0 ${fields(plan.time)} ${plan.day} * ?`;
    case 'other':
      return null;
  }
}

/** A plan of another kind that keeps what both have. */
export function changeKind(plan: Plan, kind: PlanKind): Plan {
  const time = 'time' in plan ? plan.time : '09:00';
  switch (kind) {
    case 'minutes':
      return { kind, every: 15 };
    case 'hours':
      return { kind, every: 1, minute: 0 };
    case 'daily':
    case 'weekdays':
      return { kind, time };
    case 'monthly':
      return { kind, day: '1', time };
    case 'other':
      return { kind };
  }
}

function clock(hour: string, minute: string): string {
  return `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
}

/** The minute and hour fields of a time of day. */
function fields(time: string): string {
  const [hour, minute] = time.split(':').map(Number);
  return `${minute} ${hour}`;
}
