/** Experiments on the research's data, by the command line, served by a hub on loopback. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';
import { KINDS, writeSmallCheckpoint } from '../support/small-checkpoints.js';

type Family = keyof typeof KINDS;

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/datasets');
const model = referenceFixture('text');

let hub: HubStandIn;
beforeAll(async () => {
  hub = await HubStandIn.start();
});
afterAll(() => hub.stop());

const idsOf = async (folder: string) =>
  (await readFile(path.join(folder, 'samples.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).id);

const publishMsMarco = async () =>
  hub.publishData('microsoft/ms_marco', {
    'v1.1/validation-00000-of-00001.parquet': await readFile(path.join(FIXTURES, 'ms-marco.parquet')),
  });

describe('dkv run --dataset', () => {
  it('ms-marco: the samples that the published rule selects, offline the second time', async () => {
    const expected = JSON.parse(await readFile(path.join(FIXTURES, 'ms-marco.json'), 'utf8'));
    await publishMsMarco();
    const home = await temporaryFolder();
    const env = { HF_HOME: home, HF_ENDPOINT: hub.url };
    const run = (out: string, variables: NodeJS.ProcessEnv) =>
      dkv(
        [
          'run',
          'exp02',
          '--dataset',
          'ms-marco',
          '--n',
          '20',
          '--model',
          model,
          '--out',
          path.join(home, out),
          '--json',
        ],
        { env: variables },
      );
    const online = await run('online', env);
    expect(online.exitCode).toBe(0);
    expect(await idsOf(path.join(home, 'online'))).toEqual(expected.standard.ids);
    const { configuration } = JSON.parse(online.stdout);
    expect(configuration.dataset).toMatchObject({
      name: 'ms-marco',
      revision: expect.stringMatching(/^[0-9a-f]{40}$/),
    });

    hub.requests.length = 0;
    const offline = await run('offline', { HF_HOME: home, HF_ENDPOINT: hub.url, HF_HUB_OFFLINE: '1' });
    expect(hub.requests).toEqual([]);
    expect(JSON.parse(offline.stdout)).toEqual(JSON.parse(online.stdout));
  });

  it('runs the research’s experiments on a T5 and a BART of the hub, with samples and random words as it drew them', async () => {
    const expected = JSON.parse(await readFile(path.join(FIXTURES, 'ms-marco.json'), 'utf8'));
    await publishMsMarco();
    const home = await temporaryFolder();
    const names = { t5: 'google/flan-t5-base', bart: 'facebook/bart-large' } as const;
    for (const [kind, name] of Object.entries(names))
      await hub.publish(name, await writeSmallCheckpoint(KINDS[kind as Family], await temporaryFolder()));
    const run = async (family: Family, experiment: string) => {
      const out = path.join(home, family, experiment);
      const { exitCode, stdout, stderr } = await dkv(
        ['run', experiment, '--model', names[family], '--dataset', 'ms-marco', '--n', '20', '--out', out, '--json'],
        { env: { HF_HOME: home, HF_ENDPOINT: hub.url } },
      );
      expect([exitCode, stderr.match(/^error.*/m)?.[0]]).toEqual([0, undefined]);
      expect(await idsOf(out)).toEqual(expected.standard.ids);
      return { summary: JSON.parse(stdout), stderr, report: await readFile(path.join(out, 'report.md'), 'utf8') };
    };
    for (const family of ['t5', 'bart'] as const) {
      const { summary, stderr, report } = await run(family, 'v4-09');
      expect(stderr).not.toContain('Left out');
      expect(summary.configuration.model.name).toMatch(new RegExp(`^${names[family]}@[0-9a-f]{12}$`));
      expect(summary.configuration.max_tokens).toBe(family === 't5' ? 2048 : 512);
      expect(summary.samples.joint_differs).toBe(0);
      // The model is one of theirs by its name; the number of samples is not.
      expect(report).toContain('not shown beside these results, because theirs are of 500 samples, these of 20');
      expect((await run(family, 'exp01')).summary.samples.scored).toBe(20);
    }
    const { stderr, summary } = await run('t5', 'bos');
    expect(stderr).toContain('Left out, because inputs of this model have no line break: E1:D,');
    expect(summary.configuration.experiment.primary).toEqual({ treatment: 'doc_kw E2:D', baseline: 'E0:D' });
  });

  it('a table of one’s own, its columns named', async () => {
    const folder = await temporaryFolder();
    const rows = Array.from(
      { length: 5 },
      (_, i) => `The lamp ${i} costs ${i} euros.,How much is lamp ${i}?,${i} euros`,
    );
    await writeFile(path.join(folder, 'faq.csv'), `body,q,a\n${rows.join('\n')}\n`);
    const out = path.join(folder, 'run');
    const table = ['--dataset', path.join(folder, 'faq.csv'), '--columns', 'document=body', 'query=q', 'answer=a'];
    const { exitCode, stdout, stderr } = await dkv(['run', 'exp01', ...table, '--model', model, '--out', out]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('has 5 samples, not 200: all are taken');
    expect(stdout).toContain('Smoke run');
    expect(await idsOf(out)).toHaveLength(5);
  });

  it('says what a dataset cannot give, and which column is missing', async () => {
    const folder = await temporaryFolder();
    const table = path.join(folder, 'x.csv');
    await writeFile(table, 'body,q\na,b\n');
    const missing = await dkv(['run', 'exp01', '--dataset', table, '--model', model, '--out', folder]);
    expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/document/) });
    const pools = await dkv(['run', 'exp02', '--dataset', 'esci', '--model', model, '--out', folder], {
      env: { HF_ENDPOINT: hub.url, HF_HOME: folder },
    });
    expect(pools).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('esci has no documents with questions'),
    });
  });
});
