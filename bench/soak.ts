/**
 * Half an hour of mixed requests to one server, and the memory of its two processes meanwhile: rankings and scores of stored documents and of texts, completions, documents
 * put, read and taken away, requests that are refused, and clients that hang up.
 *
 *     npx tsx bench/soak.ts [--minutes 30] [--per-second 10] [--json]
 *
 * The built-in model. Resident memory is read each ten seconds; what counts is how far it is, after the first five minutes, from what it was at their end.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../src/base/random.js';
import { documentsOf, QUERIES } from './serve/requests.js';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    'per-second': { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const MINUTES = Number(options.minutes);
const PER_SECOND = Number(options['per-second']);
const WARM_SHARE = 1 / 6;
const DOCUMENTS = 200;
const EACH_MS = 10_000;

const work = await mkdtemp(path.join(os.tmpdir(), 'dkv-soak-'));
const cli = path.resolve(import.meta.dirname, '../dist/cli/main.js');
const server = spawn(process.execPath, [cli, 'serve', '--store', path.join(work, 'store'), '--port', '0'], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
const url = await new Promise<string>((resolve, reject) => {
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-10_000);
    const [, found] = /Listening at (\S+);/.exec(said) ?? [];
    if (found) resolve(found);
  });
  server.once('exit', () => reject(new Error(`dkv serve ended:\n${said}`)));
});
const engine = Number(
  execFileSync('pgrep', ['-P', String(server.pid)])
    .toString()
    .trim()
    .split('\n')[0],
);

const random = new Random('soak');
const documents = documentsOf(DOCUMENTS * 2);
const ids = documents.slice(0, DOCUMENTS).map(({ id }) => id);
const counts: Record<string, number> = {};

async function ask(method: string, place: string, body?: unknown, giveUpMs?: number): Promise<void> {
  const name = `${method} ${place.replace(/(documents\/).*/, '$1{id}')}`;
  const signal = giveUpMs === undefined ? AbortSignal.timeout(60_000) : AbortSignal.timeout(giveUpMs);
  try {
    const answer = await fetch(`${url}${place}`, {
      method,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    await answer.text();
    counts[`${name} ${answer.status}`] = (counts[`${name} ${answer.status}`] ?? 0) + 1;
  } catch {
    counts[`${name} gave up`] = (counts[`${name} gave up`] ?? 0) + 1;
  }
}

const text = () => random.pick(documents).text;
const query = () => random.pick(QUERIES);
const stored = (count: number) => random.sample(ids, count).map((id) => ({ id }));
const one = () => random.pick(documents);
const KINDS: readonly (() => Promise<void>)[] = [
  () => ask('POST', '/v1/rerank', { query: query(), documents: stored(20) }),
  () => ask('POST', '/v1/rerank', { query: query(), documents: [...stored(10), { id: 'none' }], deadline_ms: 5000 }),
  () => ask('POST', '/v1/rerank', { query: query(), documents: [text(), text(), text()] }),
  () => ask('POST', '/v1/score', { items: [{ document_id: random.pick(ids), target: query() }] }),
  () => ask('POST', '/v1/completions', { document_id: random.pick(ids), prompt: '', max_tokens: 12, temperature: 0 }),
  () => ask('PUT', `/v1/documents/${encodeURIComponent(random.pick(ids))}`, { text: text() }),
  () => ask('GET', `/v1/documents/${encodeURIComponent(random.pick(ids))}`),
  async () => {
    const id = `extra-${random.below(50)}`;
    await ask('PUT', `/v1/documents/${id}`, { text: one().text });
    await ask('DELETE', `/v1/documents/${id}`);
  },
  () => ask('POST', '/v1/rerank', { query: query(), documents: stored(20) }, 5),
  () => ask('POST', '/v1/score', { items: [{ target: 'x' }] }),
  () => ask('GET', '/metrics'),
];

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

const begun = performance.now();
const minutes = () => (performance.now() - begun) / 60_000;
for (const { id, text: own } of documents.slice(0, DOCUMENTS))
  await ask('PUT', `/v1/documents/${encodeURIComponent(id)}`, { text: own });
const readings: { readonly minute: number; readonly server: number; readonly engine: number }[] = [];
const reading = setInterval(async () => {
  readings.push({ minute: minutes(), server: await residentBytes(server.pid!), engine: await residentBytes(engine) });
  if (!options.json && readings.length % 6 === 0) {
    const { minute, ...bytes } = readings.at(-1)!;
    process.stderr.write(
      `${minute.toFixed(1)} min  server ${(bytes.server / 1e6).toFixed(1)} MB  engine ${(bytes.engine / 1e6).toFixed(1)} MB\n`,
    );
  }
}, EACH_MS);
const under = new Set<Promise<void>>();
while (minutes() < MINUTES) {
  const asked = random.pick(KINDS)();
  under.add(asked);
  void asked.finally(() => under.delete(asked));
  await sleep(1000 / PER_SECOND);
  // Callers wait where the server is slower than they ask.
  if (under.size > 50) await Promise.race(under);
}
clearInterval(reading);
await Promise.all(under);
server.removeAllListeners('exit');
const ended = once(server, 'exit');
server.kill('SIGTERM');
const [exitCode] = await ended;
await rm(work, { recursive: true, force: true });

const warm = readings.filter(({ minute }) => minute >= MINUTES * WARM_SHARE);
const first = warm[0]!;
const growth = (of: 'server' | 'engine') => warm.map((own) => own[of] / first[of] - 1);
const summary = {
  minutes: MINUTES,
  exitCode,
  counts,
  afterWarmUp: { serverBytes: first.server, engineBytes: first.engine },
  growth: Object.fromEntries(
    (['server', 'engine'] as const).map((of) => [of, { most: Math.max(...growth(of)), last: growth(of).at(-1) }]),
  ),
};
if (!options.json) {
  for (const [name, count] of Object.entries(counts).sort()) console.log(`${String(count).padStart(7)}  ${name}`);
  for (const [of, { most, last }] of Object.entries(summary.growth)) {
    console.log(
      `${of}: at most ${(100 * most!).toFixed(1)}% more than after the warm-up, at the end ${(100 * last!).toFixed(1)}%`,
    );
  }
}
console.log(JSON.stringify(summary));
