import { describe, expect, it } from 'vitest';
import { draftOf, fieldsOf, fileOf, isReady } from './report';

const draft = draftOf({ new: undefined, segment: undefined });

describe('a draft of a report', () => {
  it('begins as the address says', () => {
    expect(draftOf({ new: 'members', segment: 'VIP' })).toMatchObject({ report: 'members', segment: 'VIP' });
    expect(draftOf({ new: 'other', segment: undefined }).report).toBe('history');
  });

  it('has a month, or from and to, never both', () => {
    const { history } = fieldsOf({ ...draft, month: '2026-10', from: '2026-10-01T00:00', user: ' 7 ' });
    expect(history).toMatchObject({ month: '2026-10', from: null, to: null, user_id: '7', segment: null });
    const { history: open } = fieldsOf({ ...draft, from: '2026-10-01T00:00' });
    expect(open.month).toBeNull();
    expect(open.from).toBe(new Date('2026-10-01T00:00').toISOString());
  });

  it('is ready when it has what it needs', () => {
    expect(isReady(draft)).toBe(true);
    expect(isReady({ ...draft, report: 'members' })).toBe(false);
    expect(isReady({ ...draft, report: 'members', segment: 'VIP' })).toBe(true);
    expect(isReady({ ...draft, report: 'algebra', expr: ' ' })).toBe(false);
  });
});

describe('the link of a report', () => {
  it('has the name of the file, and that the format', () => {
    expect(
      fileOf('https://strata.example/api/v1/reports/17/members-VIP.csv.gz?expires=1&signature=a'),
    ).toEqual({
      name: 'members-VIP.csv.gz',
      format: 'csv.gz',
    });
    expect(fileOf('/api/v1/reports/17/history.xlsx').format).toBe('xlsx');
  });
});
