import { describe, expect, it } from 'vitest';
import { beginningOf, pathFault, pretty, SUGGESTIONS } from './trying';

describe('trying out', () => {
  it('goes to this service only', () => {
    expect(pathFault('/api/v1/segments?limit=5')).toBeNull();
    expect(pathFault('/healthz')).toBeNull();
    expect(pathFault('https://elsewhere.example/api/')).toBe('notHere');
    expect(pathFault('//elsewhere.example/api/')).toBe('notHere');
    expect(pathFault('/api/\\elsewhere')).toBe('notHere');
    expect(pathFault('/api/v1/segments/{slug}')).toBe('hole');
  });

  it('suggests what it would send', () => {
    expect(SUGGESTIONS.filter((path) => pathFault(path) === 'notHere')).toEqual([]);
  });

  it('writes JSON in lines, and leaves the rest', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('{"a":')).toBe('{"a":');
  });

  it('reads no further than it shows', async () => {
    expect(await beginningOf(new Response('abc'), 2)).toEqual({ text: 'ab', isCut: true });
    expect(await beginningOf(new Response('abc'), 3)).toEqual({ text: 'abc', isCut: false });
    expect(await beginningOf(new Response(null), 3)).toEqual({ text: '', isCut: false });
  });
});
