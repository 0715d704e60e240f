/**
 * The way of somebody who has no token: FLAN-T5 by its name on the hub, through every command, in float32 and int8. The hub is the stand-in and the
 * weights are random, of FLAN-T5's shape and with a tokenizer of T5's form; what numbers they give is tested against transformers elsewhere.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KNOWN_MODELS } from '../../src/scoring/known-models.js';
import { parseModelReference } from '../../src/scoring/pull-model.js';
import { dkv } from '../support/dkv.js';
import { FAMILY_FIXTURES } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';

const MODEL = 'google/flan-t5-base';
const PRECISIONS = ['float32', 'int8'] as const;
type Precision = (typeof PRECISIONS)[number];

let hub: HubStandIn;
let folder: string;

async function run(...args: string[]): Promise<string> {
  const env = { HF_HOME: path.join(folder, 'home'), HF_ENDPOINT: hub.url, DKV_CACHE: path.join(folder, 'dkv') };
  const { exitCode, stdout, stderr } = await dkv(args, { cwd: folder, env });
  expect({ args, exitCode, error: stderr.match(/^error.*/m)?.[0] }).toEqual({ args, exitCode: 0, error: undefined });
  return stdout;
}
/** The weights are drawn so strong that 8 bits move the numbers more than a real model's may. */
const asks = (precision: Precision) => {
  const drift = precision === 'int8' ? ['--ignore-drift'] : [];
  return ['--model', MODEL, '--precision', precision, '--json', ...drift];
};

/** Both precisions side by side. */
async function both<T>(make: (precision: Precision) => Promise<T>): Promise<[float32: T, int8: T]> {
  return (await Promise.all(PRECISIONS.map(make))) as [T, T];
}

beforeAll(async () => {
  hub = await HubStandIn.start();
  folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-flan-'));
  const source = path.join(folder, 'source');
  await cp(path.join(FAMILY_FIXTURES.T5ForConditionalGeneration!, 'text'), source, { recursive: true });
  await writeFile(path.join(source, 'README.md'), '---\nlicense: apache-2.0\n---\n');
  await writeFile(path.join(source, 'pytorch_model.bin'), Buffer.alloc(30_000));
  await hub.publish(MODEL, source);
  const rows = await readFile(path.resolve(import.meta.dirname, '../fixtures/datasets/ms-marco.parquet'));
  hub.publishData('microsoft/ms_marco', { 'v1.1/validation-00000-of-00001.parquet': rows });
  expect(await run('models', 'pull', MODEL)).toContain('licence: apache-2.0');
  await both((precision) => run('models', 'compile', MODEL, '--precision', precision, '--ignore-drift'));
  await run('data', 'adworld', '--beir', 'ads', '--count', '4', '--documents', '40');
});
afterAll(async () => {
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('FLAN-T5 by its name on the hub', () => {
  it('is described: family, licence, memory, both compiled forms', async () => {
    const info = JSON.parse(await run('models', 'info', MODEL, '--json'));
    expect(info).toMatchObject({ family: 't5', licence: 'apache-2.0', stored_as: ['F32'], notices: [] });
    expect(info.name).toMatch(/^google\/flan-t5-base@[0-9a-f]{12}$/);
    expect(info.compiled.map((form: { precision: string }) => form.precision).sort()).toEqual([...PRECISIONS]);
    // The head has a table of its own.
    expect(info.weights).toBe(info.size_bytes / 4);
    expect(info.memory.int8).toBeLessThan(info.memory.float32);
    expect(hub.requests.filter(({ url }) => url.includes('.bin'))).toEqual([]);
  });

  it('is shown by demo, whose conditions differ', async () => {
    const shown = await both(async (precision) => JSON.parse(await run('demo', ...asks(precision))));
    for (const { conditions } of shown) {
      const [bare, withoutEnd] = conditions as { condition: string; nll: number }[];
      expect(withoutEnd!.condition).toBe('document alone, EOS hidden (bare_d)');
      expect(withoutEnd!.nll).not.toBe(bare!.nll);
      expect(new Set(conditions.map(({ nll }: { nll: number }) => nll)).size).toBe(7);
    }
  });

  it('runs the research’s experiments 09 and 01, each with the authors’ conditions', async () => {
    for (const experiment of ['v4-09', 'exp01']) {
      const summaries = await both(async (precision) => {
        const out = `${experiment}-${precision}`;
        const args = ['--dataset', 'ms-marco', '--n', '8', '--out', out, ...asks(precision)];
        return JSON.parse(await run('run', experiment, ...args));
      });
      for (const [i, { configuration, samples }] of summaries.entries()) {
        expect(configuration.model).toMatchObject({ precision: PRECISIONS[i] });
        expect(configuration.model.name).toMatch(/^google\/flan-t5-base@/);
        expect(configuration.left_out).toBeUndefined();
        expect(samples).toMatchObject({ scored: 8, joint_differs: 0 });
      }
    }
  });

  it('primes, ranks and evaluates', async () => {
    const queries = ['--queries', 'ads/queries.jsonl', '--qrels', 'ads/qrels/test.tsv'];
    const made = await both(async (precision) => {
      const store = ['--store', `store-${precision}`];
      const primed = JSON.parse(
        await run('prime', '--input', 'ads/corpus.jsonl', '--surrogate', 'doc_kw', ...store, ...asks(precision)),
      );
      const ranked = JSON.parse(
        await run('rank', ...store, ...queries, '--output', `${precision}.txt`, ...asks(precision)),
      );
      const evaluated = JSON.parse(await run('evaluate', ...store, ...queries, ...asks(precision)));
      const lines = (await readFile(path.join(folder, `${precision}.txt`), 'utf8')).trim().split('\n');
      return { primed, ranked, evaluated, lines };
    });
    for (const { primed, evaluated, lines } of made) {
      expect(primed.encoded).toBeGreaterThan(0);
      expect(evaluated.systems.length).toBeGreaterThan(2);
      expect(lines.length).toBeGreaterThan(4);
    }
  });

  it('passes those of sanity’s checks that random weights can pass', async () => {
    const env = { HF_HOME: path.join(folder, 'home'), HF_ENDPOINT: hub.url, DKV_CACHE: path.join(folder, 'dkv') };
    const { exitCode, stdout } = await dkv(['sanity', '--n', '8', '--model', MODEL, '--json'], { env });
    expect(exitCode).toBe(1);
    const checks: { name: string; state: string; result: string }[] = JSON.parse(stdout).checks;
    const named = (name: string) => checks.find((check) => check.name === name)!;
    for (const name of ['A/A', 'held out', 'surrogates']) expect(named(name).state).toBe('pass');
    expect(named('oracle, full').state).toBe('fail');
    expect(named('attention on BOS')).toMatchObject({
      state: 'finding',
      result: expect.stringContaining('have no BOS'),
    });
  });
});

describe('models list --known', () => {
  it('names models as --model takes them, and what is from memory', async () => {
    const listed = await run('models', 'list', '--known');
    for (const { name } of KNOWN_MODELS) {
      expect(parseModelReference(name)).toBeDefined();
      expect(listed).toContain(name);
    }
    expect(listed).toMatch(/google\/flan-t5-base +t5 +247\.6 M +1\.0 GB +apache-2\.0 +none +yes +yes/);
    expect(listed).toMatch(/google\/t5gemma-2-270m-270m .* gemma +needed/);
    expect(listed).toMatch(/google\/mt5-small .*apache-2\.0 \(\?\) .*in a pull request +no/);
    expect(listed).toContain('None of these weights could be run');
  });
});
