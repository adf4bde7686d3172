import { agoText, durationText, sizeText } from '../format';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('durationText', () => {
  it.each([
    [0.0004, '0 ms'],
    [0.25, '250 ms'],
    [1.24, '1.2 s'],
    [9.96, '10 s'],
    [75, '1 min 15 s'],
    [119.7, '2 min 0 s'],
    [7300, '2 h 1 min']
  ])('%d s is %s', (seconds, text) => {
    expect(plain(durationText(seconds))).toBe(text);
  });
});

describe('sizeText', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1500, '1.5 KB'],
    [25_000_000, '25 MB']
  ])('%d is %s', (bytes, text) => {
    expect(plain(sizeText(bytes))).toBe(text);
  });
});

describe('agoText', () => {
  const now = Date.parse('2026-01-02T12:00:00Z');

  it.each([
    ['2026-01-02T12:00:00Z', 'now'],
    ['2026-01-02T12:00:05Z', 'now'],
    ['2026-01-02T11:59:20Z', '40 sec. ago'],
    ['2026-01-02T11:00:00Z', '1 hr. ago'],
    ['2026-01-01T11:00:00Z', 'yesterday'],
    ['2024-12-02T12:00:00Z', 'last yr.']
  ])('%s is %s', (at, text) => {
    expect(agoText(at, now, 'en')).toBe(text);
  });
});
