import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../src/base/near.js';

describe('a mistyped name', () => {
  it.each([
    ['exo1', ['exp01', 'exp02'], 'exp01'],
    ['exp10', ['exp02', 'exp01'], 'exp01'],
    ['Adword', ['adworld', 'esci'], 'adworld'],
    ['ndgc', ['AP', 'nDCG'], 'nDCG'],
    ['bera', ['bare', 'doc_kw'], 'bare'],
    ['baer', ['bare', 'doc_kw'], 'bare'],
    ['x', ['abc'], undefined],
    ['something else', ['adworld'], undefined],
    ['', [], undefined],
  ])('%j of %j', (name, known, meant) => {
    expect(didYouMean(name, known)).toBe(meant === undefined ? '' : ` Did you mean "${meant}"?`);
  });
});
