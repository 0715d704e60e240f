import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { dkv, jsonLines, startDkv } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { readFixture, TOLERANCES } from '../support/reference.js';

const model = referenceFixture('text');
const score = (input: string, ...args: string[]) => dkv(['score', '--model', model, ...args], { input });
const line = (fields: Record<string, unknown>) =>
  `${JSON.stringify({ document: 'The lamp costs 24 euros.', target: '24 euros', ...fields })}\n`;

interface Text {
  name: string;
  visibility: string | string[];
}

describe('dkv score', () => {
  // Compiled the first time; where another test compiles the same model just now, the command says that it waits.
  beforeAll(() => score(line({})));

  it('gives the reference’s NLLs for texts, under every visibility, with and without a query', async () => {
    const texts: Text[] = JSON.parse(readFileSync(path.join(model, 'texts.json'), 'utf8'));
    const { expected } = await readFixture(model);
    const input = texts.map(({ name, ...fields }) => `${JSON.stringify({ id: name, ...fields })}\n`).join('');
    // As transformers was called for the fixture.
    const { exitCode, stdout, stderr } = await score(input, '--control-tokens', 'keep');
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /^\d+ lines with control tokens as they are written \(<bos>, <eos>\), read as control tokens \(--control-tokens keep\)\.\n$/,
    );
    const answers = jsonLines(stdout);
    expect(answers.map(({ id }) => id)).toEqual(texts.map(({ name }) => name));
    for (const answer of answers) {
      const wanted = [...expected.get(`${answer.id}.nll`)!];
      const found = answer.token_nlls as number[];
      expect(answer.num_tokens).toBe(wanted.length);
      for (const [i, nll] of wanted.entries()) expect(Math.abs(found[i]! - nll)).toBeLessThan(TOLERANCES.nll);
      expect(answer.nll_sum).toBeCloseTo(
        found.reduce((a, b) => a + b),
        5,
      );
      expect(answer.nll).toBeCloseTo((answer.nll_sum as number) / wanted.length, 12);
    }
  });

  it('reads control tokens as text, and says so', async () => {
    const plain = { document: 'The lamp costs 24 euros.' };
    const { stdout, stderr } = await score(
      [plain, { document: 'The lamp <eos>costs 24 euros.' }].map(line).join('') + line({ ...plain, target: 'a <pad>' }),
    );
    expect(stderr).toBe(
      '2 lines with control tokens as they are written (<eos>, <pad>), read as text; --control-tokens keep makes control tokens of them.\n',
    );
    const [without, with_] = jsonLines(stdout);
    expect(with_!.document_tokens).toBeGreaterThan((without!.document_tokens as number) + 1);
  });

  it('answers with the fields that it promises, the document alone visible by default', async () => {
    const { stdout } = await score(
      line({ id: 1, prefix: 'lamp' }) +
        line({ id: 2, prefix: 'lamp', visibility: 'exact' }) +
        line({ visibility: ['document'], prefix: 'lamp' }),
    );
    const [first, second, third] = jsonLines(stdout);
    expect(first).toEqual({
      id: 1,
      nll: expect.any(Number),
      nll_sum: expect.any(Number),
      num_tokens: 4,
      token_nlls: expect.any(Array),
      prefix_tokens: expect.any(Number),
      document_tokens: expect.any(Number),
      cut: false,
    });
    expect({ ...second, id: 1 }).toEqual(first);
    expect({ id: 1, ...third }).toEqual(first);
  });

  it('goes on after bad lines, names them, and exits with 2', async () => {
    const bad: [string, RegExp][] = [
      ['{"document": "x", \n', /not JSON/],
      [line({ id: 'typo', prefx: 'lamp' }), /prefx/],
      [line({ id: 'kind', target: 7 }), /target/],
      [line({ id: 'mask', visibility: 'all' }), /"full", "published", "exact" or a list of "bos"/],
      [line({ id: 'segment', visibility: ['query'] }), /"full", "published", "exact" or a list/],
      [line({ id: 'empty', target: '' }), /target is empty/],
      [line({ id: 'nothing', document: '' }), /document is empty/],
      [line({ id: 'long', prefix: 'lamp '.repeat(200) }), /leave none for the document/],
      ['"a text"\n', /object/],
    ];
    const input = bad.map(([text], i) => line({ id: `good ${i}` }) + text).join('');
    const { exitCode, stdout } = await score(input, '--max-length', '100');
    expect(exitCode).toBe(2);
    const answers = jsonLines(stdout);
    expect(answers).toHaveLength(2 * bad.length);
    for (const [i, [text, message]] of bad.entries()) {
      expect(answers[2 * i]).toMatchObject({ id: `good ${i}`, num_tokens: 4 });
      const {
        id,
        line: number,
        error,
      } = answers[2 * i + 1] as { id?: string; line: number; error: { message: string } };
      expect(number).toBe(2 * i + 2);
      expect(error.message).toMatch(message);
      expect(id).toBe(/"id":"(\w+)"/.exec(text)?.[1]);
    }
  });

  it('gives ids back as they were written, and keeps lines whole', async () => {
    const ids = ['9007199254740993', '1.0', '1', '"1"', '-0'];
    const input = ids.map((id) => `{"id": ${id}, "document": "The\u2028lamp", "target": "lamp"}\n`).join('');
    const { exitCode, stdout, stderr } = await score(`\ufeff${input}`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n').map((answer) => /^\{"id":([^,]+),/.exec(answer)?.[1])).toEqual([...ids, undefined]);
  });

  it('refuses a line that says two things, and says once what is wrong with all lines', async () => {
    const twice = await score(`${line({ id: 'a' })}{"id": 1, "document": "x", "document": "y", "target": "z"}\n`);
    expect(twice.exitCode).toBe(2);
    expect(jsonLines(twice.stdout)[1]).toMatchObject({
      line: 2,
      error: { code: 'INPUT_INVALID', message: expect.stringContaining("Duplicate key 'document'") },
    });
    const array = await score(`[${line({})}]`);
    expect(array).toMatchObject({ exitCode: 2, stdout: '' });
    expect(array.stderr).toMatch(/^error INPUT_INVALID: standard input: .*this is a JSON array\. Convert it: jq -c/);
  });

  it('gives the same whatever the batches', async () => {
    const names = ['lamp', 'kettle', 'tent with a very long name that goes on and on'];
    const input = Array.from({ length: 40 }, (_, i) => line({ prefix: names[i % 3], query: names[(i >> 1) % 3] })).join(
      '',
    );
    const few = jsonLines((await score(input, '--batch-tokens', '64')).stdout);
    const many = jsonLines((await score(input, '--batch-tokens', '8192')).stdout);
    expect(few).toHaveLength(40);
    for (const [i, answer] of few.entries()) expect(answer.nll).toBeCloseTo(many[i]!.nll as number, 5);
  });

  it('cuts long documents at their end and says so', async () => {
    const { stdout, exitCode } = await score(
      line({ document: 'The lamp costs 24 euros. '.repeat(40) }),
      '--max-length',
      '50',
    );
    expect(exitCode).toBe(0);
    expect(jsonLines(stdout)[0]).toMatchObject({ cut: true, document_tokens: 49 });
  });

  it('answers while the input pauses', async () => {
    const child = startDkv(['score', '--model', model]);
    child.stdin.write(line({ id: 'first' }));
    const answer = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
    expect(JSON.parse(answer)).toMatchObject({ id: 'first' });
    child.stdin.end(line({ id: 'second' }));
    const rest = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
    expect(JSON.parse(rest)).toMatchObject({ id: 'second' });
  });

  it('ends on Ctrl-C while it waits for lines', async () => {
    const child = startDkv(['score', '--model', model]);
    child.stdin.write(line({}));
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect((await once(child, 'close'))[0]).toBe(130);
  });

  it('ends when nobody reads its output any more', async () => {
    const child = startDkv(['score', '--model', model]);
    child.stdout.destroy();
    child.stdin.on('error', () => undefined);
    child.stdin.end(line({}).repeat(2000));
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await once(child, 'close');
    expect(stderr).toBe('');
  });

  it('reads and writes files', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'in.jsonl'), `${line({ id: 'a' })}\n${line({ id: 'b' }).trimEnd()}`);
    const { exitCode, stdout } = await dkv(
      ['score', '--model', model, '--input', 'in.jsonl', '--output', 'out.jsonl'],
      { cwd: folder },
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(jsonLines(await readFile(path.join(folder, 'out.jsonl'), 'utf8')).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it.each([
    [['--input', 'missing.jsonl'], /missing\.jsonl/],
    [['--output', '/no/such/folder/out.jsonl'], /--output \/no\/such\/folder/],
    [['--model', '/no/such/model'], /no such folder/],
    [['--precision', 'float4'], /float32/],
    [['--device', 'coreml'], /DEVICE_UNAVAILABLE.*available: cpu/],
    [['--batch-tokens', 'many'], /whole number/],
    [['--colour'], /unknown option '--colour'/],
  ])('says what is wrong with %j, and exits with 2', async (args, message) => {
    const { exitCode, stderr } = await score(line({}), ...args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
