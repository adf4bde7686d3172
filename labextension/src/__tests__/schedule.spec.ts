import { changeKind, readSchedule, writeSchedule, type PlanKind } from '../schedule/quartz';
import { timeText, zonesOf } from '../schedule/upcoming';
import { literalOf } from '../sections/agents/literal';

describe('schedules as forms', () => {
  it.each([
    ['0 0/15 * ? * *', 'minutes'],
    ['0 30 0/2 ? * *', 'hours'],
    ['0 5 9 ? * *', 'daily'],
    ['0 0 18 ? * MON-FRI @ Europe/Berlin', 'weekdays'],
    ['0 0 7 L * ?', 'monthly'],
    ['0 0 7 28 * ? @ America/New_York', 'monthly']
  ])('reads %s and writes it back', (text, kind) => {
    const read = readSchedule(text);
    expect(read.plan.kind).toBe(kind);
    expect(writeSchedule(read)).toBe(text);
  });

  it('reads other spellings of the same', () => {
    expect(readSchedule('0  0 9 ? * 2-6 @ UTC')).toEqual({
      plan: { kind: 'weekdays', time: '09:00' },
      zone: ''
    });
  });

  it.each([
    '',
    '0 0 9 ? * MON',
    'open|0 0 9 ? * *',
    '0 0 9 ? * *;0 0 12 ? * *',
    '0 0 9 ? * * @ A @ B',
    '0 0 9 15W * ?'
  ])('leaves %p to the text', text => {
    expect(readSchedule(text).plan.kind).toBe('other');
  });

  it('keeps the time when the kind changes', () => {
    const kinds: PlanKind[] = ['weekdays', 'monthly', 'daily'];
    let plan = changeKind({ kind: 'other' }, 'daily');
    expect(plan).toEqual({ kind: 'daily', time: '09:00' });
    plan = { kind: 'daily', time: '17:45' };
    for (const kind of kinds) {
      plan = changeKind(plan, kind);
      expect(plan).toMatchObject({ kind, time: '17:45' });
    }
  });
});

describe('times', () => {
  it('names the zones of a schedule once each', () => {
    expect(zonesOf('0 0 9 ? * *')).toEqual(['UTC']);
    expect(zonesOf('a|0 0 9 ? * * @ Asia/Tokyo;b|0 0 9 ? * *;0 0 1 ? * * @ Asia/Tokyo;')).toEqual([
      'Asia/Tokyo',
      'UTC'
    ]);
  });

  it('shows an instant on the clock of a zone, and as it is where nobody knows the zone', () => {
    expect(timeText('2026-01-15T12:00:00Z', 'Asia/Tokyo')).toMatch(/0?9:00.*GMT\+9/);
    expect(timeText('2026-01-15T12:00:00Z', 'Mars/Base')).toBe('2026-01-15T12:00:00Z');
  });
});

describe('literalOf', () => {
  const text = '0 0/5 * ? * *';

  it('finds the only literal', () => {
    const source = `@agent("${text}")\ndef f(): pass`;
    const place = literalOf(source, text)!;
    expect(source.slice(place.start, place.end)).toBe(text);
  });

  it('finds nothing where there are two, or none', () => {
    expect(literalOf(`"${text}" '${text}'`, text)).toBeNull();
    expect(literalOf(`f"${text} @ {zone}"`, text)).toBeNull();
  });
});
