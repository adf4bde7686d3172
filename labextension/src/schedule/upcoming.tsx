import * as React from 'react';

const FORMAT: Intl.DateTimeFormatOptions = {
  weekday: 'short',
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit'
};

interface IUpcomingProps {
  /** ISO 8601. */
  times: readonly string[];
  /** Its zones are shown on hover. */
  schedule: string;
}

/** Instants on this page's clock, and on the schedule's own where one points at them. */
export function Upcoming({ times, schedule }: IUpcomingProps): React.JSX.Element {
  const zones = zonesOf(schedule);
  return (
    <ol className="jp-Coflows-upcoming">
      {times.map(at => (
        <li key={at}>
          <time dateTime={at} title={zones.map(zone => timeText(at, zone)).join('\n')}>
            {timeText(at)}
          </time>
        </li>
      ))}
    </ol>
  );
}

/** The zones that a schedule names, UTC where it names none. */
export function zonesOf(schedule: string): string[] {
  const zones = schedule
    .split(';')
    .filter(entry => entry.trim() !== '')
    .map(entry => entry.split('@').at(1)?.trim() ?? 'UTC');
  return [...new Set(zones)];
}

/** An instant as a clock shows it: this page's, or one in a zone, which it then names. */
export function timeText(at: string, zone?: string): string {
  const moment = new Date(at);
  const seconds = moment.getUTCSeconds() > 0 ? { second: '2-digit' as const } : {};
  const more = zone === undefined ? {} : { timeZone: zone, timeZoneName: 'short' as const };
  try {
    return moment.toLocaleString(undefined, { ...FORMAT, ...seconds, ...more });
  } catch {
    // A zone that the server knows and this browser does not.
    return at;
  }
}
