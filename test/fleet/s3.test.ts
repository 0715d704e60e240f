/** A corpus and a catalogue in buckets, of a server that fails, loses answers and is slow. */
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FleetFiles } from '../../src/fleet/files.js';
import { finishPlan } from '../../src/fleet/finish.js';
import { openFleetFiles } from '../../src/fleet/open.js';
import { workChunk } from '../../src/fleet/work.js';
import { BUILT_IN_MODEL, loadModel, type Model } from '../../src/scoring/load-model.js';
import { type BreakingProxy, startBreakingProxy } from '../support/breaking-proxy.js';
import { type RunningS3, startS3 } from '../support/s3.js';
import { adOf, documentsIn, planned } from './corpus.js';

let model: Model;
let server: RunningS3;
let proxy: BreakingProxy;
const environment = { ...process.env };

beforeAll(async () => {
  model = await loadModel(BUILT_IN_MODEL);
  server = await startS3();
  proxy = await startBreakingProxy(server.options.endpoint);
  // As for every AWS tool, the environment says where a corpus is.
  Object.assign(process.env, server.env);
  put('corpus/ads.jsonl.gz', gzipSync(`${ROWS.join('\n')}\n`));
});

afterAll(async () => {
  process.env = environment;
  await Promise.all([model.close(), proxy.stop(), server.stop()]);
});

const ROWS = Array.from({ length: 24 }, (_, n) => adOf(n));

function put(name: string, bytes: Uint8Array): void {
  server.objects.set(`bucket/${name}`, { bytes: Buffer.from(bytes), metadata: {}, storedAt: new Date() });
}

it('plans a corpus in a bucket as it plans the same rows in Parquet, by row groups', async () => {
  const rows = ROWS.map((row) => JSON.parse(row) as { id: string; text: string; title: string; price: number });
  const column = (name: 'id' | 'text' | 'title') => ({ name, data: rows.map((row) => row[name]) });
  const columnData = [
    column('id'),
    column('text'),
    column('title'),
    { name: 'price', data: rows.map(({ price }) => price) },
  ];
  put('corpus/ads.parquet', new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 7 })));
  const files = await openFleetFiles('s3://bucket/parquet', { create: true });
  const lines = await planned(files, model, 's3://bucket/corpus/ads.jsonl.gz');
  const table = await planned(files, model, 's3://bucket/corpus/ads.parquet');
  expect(table.plan.chunks).toEqual(lines.plan.chunks);
  await expect(planned(files, model, 's3://bucket/corpus/none.jsonl')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  await files.close();
});

it('gives every document once where the server fails, and a chunk costs few requests', async () => {
  const options = { create: true, timeoutMs: 3000, s3: { ...server.options, endpoint: proxy.endpoint } };
  const files = await openFleetFiles('s3://bucket/ads', options);
  const named = await planned(files, model, 's3://bucket/corpus/ads.jsonl.gz');
  const moods = [
    { status: 503, times: 2 },
    { cut: true, times: 1 },
    { lost: true, times: 1 },
    { delayMs: 200, times: 3 },
  ];
  for (const chunk of named.plan.chunks.keys()) {
    server.mood = { ...moods[chunk % moods.length] };
    if (chunk === 1) proxy.lose = { beginning: 'PUT /', times: 1 };
    await workChunk(files, named, chunk, model);
  }
  server.mood = {};
  // A worker that sees the server gone fails, and leaves nothing.
  const fleet = new FleetFiles(files);
  const { shard } = (await fleet.report(named.id, 0))!.part;
  server.objects.delete(`bucket/ads/shards/${shard!.digest}.dkv`);
  await fleet.dropReport(named.id, 0);
  const before = [...server.objects.keys()].filter((name) => name.includes('/chunks/'));
  proxy.breakAfterBytes = 20_000;
  await expect(workChunk(files, named, 0, model)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  proxy.breakAfterBytes = Number.POSITIVE_INFINITY;
  expect([...server.objects.keys()].filter((name) => name.includes('/chunks/'))).toEqual(before);
  await expect(finishPlan(files, named)).rejects.toMatchObject({ code: 'FLEET_INCOMPLETE' });
  const requests = server.requests;
  await workChunk(files, named, 0, model);
  expect(server.requests - requests).toBeLessThanOrEqual(16);
  const { generation } = (await finishPlan(files, named))!;
  expect([...(await documentsIn(files, generation)).keys()].sort()).toEqual(
    ROWS.map((row) => JSON.parse(row).id).sort(),
  );
  await files.close();
}, 60_000);
