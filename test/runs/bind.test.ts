import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { adworldSamples } from '../../src/adworld/adworld.js';
import { origin } from '../../src/report/tables/origin.js';
import { publishRecord, readRecord } from '../../src/runs/record.js';
import { readSamples } from '../../src/runs/samples.js';
import { sealedLine } from '../../src/runs/schema/sealed.js';
import type { Sample } from '../../src/samples/sample.js';
import { bindSamples } from '../../tools/results/bind.js';
import { temporaryFolder } from '../support/fixtures.js';

const RESULTS = path.resolve('results/built-in');

it('committed runs say which samples are their own', async () => {
  for (const name of await readdir(RESULTS)) {
    expect((await readRecord(path.join(RESULTS, name)))!.samples_crc32, name).toMatch(/^[0-9a-f]{8}$/);
  }
});

it('an older run is bound to the samples that the data give, and to no others of the same ids', async () => {
  const folder = path.join(await temporaryFolder(), 'exp33b');
  await cp(path.join(RESULTS, 'exp33b'), folder, { recursive: true });
  const { samples_crc32: own, ...older } = (await readRecord(folder))!;
  await publishRecord(folder, older);
  const file = path.join(folder, 'samples.jsonl.gz');
  const bytes = await readFile(file);
  const [first, ...rest] = gunzipSync(bytes)
    .toString()
    .split(/(?<=\n)/);
  const { crc32: _, texts, ...sample } = JSON.parse(first!);
  const [{ document, query, answer }] = adworldSamples({ seed: 43, split: 'test', count: 1 }) as [Sample];
  const strange = sealedLine({ ...sample, texts: { ...texts, document, query, answer } });
  await writeFile(file, gzipSync(strange + rest.join('')));
  await expect(bindSamples(folder)).rejects.toThrow(
    /samples\.jsonl\.gz is not of the data of this run: line 1 has texts/,
  );
  await writeFile(file, bytes);
  expect(await bindSamples(folder)).toBe(true);
  const bound = (await readRecord(folder))!;
  expect(bound.samples_crc32).toBe(own);
  await writeFile(file, gzipSync(strange + rest.join('')));
  await expect(readSamples(folder, bound)).rejects.toThrow('these are another run’s, or were changed');
  // Until it is bound nobody can tell, and its report says so.
  const said = 'cannot be held against anything but the ids of its trials';
  expect(JSON.stringify(origin(older).rows)).toContain(said);
  expect(JSON.stringify(origin(bound).rows)).not.toContain(said);
}, 60_000);
