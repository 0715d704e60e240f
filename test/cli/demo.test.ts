import { describe, expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';
import { referenceFixture } from '../support/fixtures.js';

const model = ['--model', referenceFixture('text')];

describe('dkv demo', () => {
  it('shows answers and NLLs of every token under every visibility', async () => {
    const texts = {
      document: 'The lamp costs 24 euros.',
      query: 'price of the lamp',
      answer: '24 euros',
      prefix: 'lamp',
    };
    const args = Object.entries(texts).flatMap(([name, text]) => [`--${name}`, text]);
    const { exitCode, stdout } = await dkv(['demo', ...model, ...args, '--json']);
    expect(exitCode).toBe(0);
    const shown = JSON.parse(stdout);
    expect(shown).toMatchObject(texts);
    expect(shown.conditions).toHaveLength(7);
    const [alone, hidden] = [shown.conditions[0], shown.conditions[4]];
    expect(alone.visible_rows).toBe(alone.rows);
    expect(hidden.rows).toBeGreaterThan(alone.rows);
    expect(hidden.visible_rows).toBeLessThan(alone.rows);
    for (const { nll, tokens, greedy } of shown.conditions) {
      expect(tokens.map(({ text }: { text: string }) => text).join('')).toBe(texts.answer);
      expect(tokens.reduce((sum: number, token: { nll: number }) => sum + token.nll, 0) / tokens.length).toBeCloseTo(
        nll,
        5,
      );
      expect(greedy.length).toBeGreaterThan(0);
    }
    const line = JSON.stringify({ document: texts.document, prefix: 'lamp', target: '24 euros' });
    const scored = JSON.parse((await dkv(['score', ...model], { input: line })).stdout);
    const exact = shown.conditions.find(
      ({ condition }: { condition: string }) => condition === 'prefix, hidden exactly',
    );
    expect(exact.nll).toBeCloseTo(scored.nll, 5);
  });

  it('takes an advertisement where nobody can be asked', async () => {
    const { exitCode, stdout } = await dkv(['demo', ...model]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^document {2}\S/);
    expect(stdout).toMatch(/question in its place, hidden exactly +\d+ of \d+/);
    expect(stdout).toContain('The decoder sees some of these');
  });
});
