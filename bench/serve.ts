/**
 * `dkv serve` beside the engine that it stands in front of: single scores, rankings of 20 and 100 stored documents and of as many texts, by one caller and by
 * many; offered twice what it can; and rankings while documents are primed through it. In one run, over loopback.
 *
 *     npx tsx bench/serve.ts [--model tiny,270m] [--seconds 5] [--rounds 3] [--parts http,throughput,cache,overload,priming] [--prime 10000] [--json]
 *
 * Two cores: the server and its engine's process on core 0 (`taskset`), this client on core 1, so that neither takes time from the other; the engine without
 * HTTP (bench/serve/direct.ts) runs on core 0 in turn with it, a round each, and nothing else runs there meanwhile. Weights of the 270m shape are drawn at
 * random and int8; documents are AdWorld's advertisements in a store in a folder that the system has in memory. Leaves out networks, TLS, keys, loading,
 * compiling and cold disks. Percentiles are of whole requests at the client.
 */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/base/random.js';
import { BUILT_IN_MODEL, loadModel } from '../src/scoring/load-model.js';
import { prime } from '../src/serving/prime.js';
import { openStore } from '../src/store/open.js';
import { tokenizedCheckpoint } from './checkpoint.js';
import { table } from './sections.js';
import type { DirectAsked, DirectStart } from './serve/direct.js';
import { closedLoop, openLoop, quantile, type Times } from './serve/loops.js';
import { type Call, documentsOf, drawn, httpRequest, nameOf, textsOf } from './serve/requests.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'tiny,270m' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    parts: { type: 'string', default: 'http,throughput,cache,overload,priming' },
    prime: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
  },
});
const SECONDS = Number(options.seconds);
const ROUNDS = Number(options.rounds);
const PARTS = options.parts.split(',');
const DOCUMENTS = 200;
const MANY = 32;
const BATCH_MS = 50;
const TEXT_TOKENS = 128;
const CALLS: readonly Call[] = [
  { kind: 'score', pairs: 1 },
  { kind: 'rerank', pairs: 20 },
  { kind: 'rerank', pairs: 100 },
];
const SERVER_CORE = '0';
const CLIENT_CORE = '1';

const cli = path.resolve(import.meta.dirname, '../dist/cli/main.js');
const work = await mkdtemp(path.join(os.tmpdir(), 'dkv-serve-'));
execFileSync('taskset', ['-cp', CLIENT_CORE, String(process.pid)], { stdio: 'ignore' });

interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 2048 });

function post(url: string, { path: place, body }: { readonly path: string; readonly body: string }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${url}${place}`,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }),
        );
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Starts `dkv serve` on its core. */
async function startServer(settings: object): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const file = path.join(work, `serve-${Math.random().toString(36).slice(2)}.yaml`);
  await writeFile(file, JSON.stringify(settings));
  const server = spawn('taskset', ['-c', SERVER_CORE, process.execPath, cli, 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    server.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000);
      const [, found] = /Listening at (\S+);/.exec(said) ?? [];
      if (found) resolve(found);
    });
    server.once('exit', () => reject(new Error(`dkv serve ended:\n${said}`)));
  });
  return {
    url,
    async stop() {
      server.removeAllListeners('exit');
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
    },
  };
}

async function startDirect(start: DirectStart): Promise<ChildProcess> {
  const child = fork(path.resolve(import.meta.dirname, 'serve/direct.ts'), [JSON.stringify(start)], {
    execArgv: ['--import', 'tsx'],
  });
  execFileSync('taskset', ['-acp', SERVER_CORE, String(child.pid)], { stdio: 'ignore' });
  await once(child, 'message');
  return child;
}

async function direct(child: ChildProcess, asked: DirectAsked): Promise<Times> {
  child.send(asked);
  const [times] = (await once(child, 'message')) as [Times];
  return times;
}

interface Measured {
  readonly model: string;
  readonly part: string;
  readonly name: string;
  readonly callers: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly note?: string;
}

const results: Measured[] = [];
const ratios: Record<string, number> = {};

function note(measured: Measured): void {
  results.push(measured);
  if (!options.json) process.stderr.write(`${JSON.stringify(measured)}\n`);
}

/** Of several rounds the median of each number. */
function middle(rounds: readonly Times[]): Pick<Times, 'perSecond' | 'p50' | 'p99'> {
  const of = (name: 'perSecond' | 'p50' | 'p99') =>
    quantile(
      rounds.map((own) => own[name]),
      0.5,
    );
  return { perSecond: of('perSecond'), p50: of('p50'), p99: of('p99') };
}

for (const name of options.model.split(',')) {
  const isTiny = name === 'tiny';
  const precision = isTiny ? 'float32' : 'int8';
  const folder = isTiny ? BUILT_IN_MODEL : await tokenizedCheckpoint('270m');
  const store = path.join(work, `store-${name}`);
  const documents = documentsOf(DOCUMENTS);
  const ids = documents.map(({ id }) => id);
  const model = await loadModel(folder, { precision, ignoreDrift: true });
  const texts = textsOf(model.tokenizer, TEXT_TOKENS, DOCUMENTS);
  const longIds = texts.map((_, at) => `long-${at}`);
  {
    const opened = await openStore(store);
    await prime(model, opened, [...documents, ...texts.map((text, at) => ({ id: longIds[at]!, text }))]);
    await opened.close();
    await model.close();
  }
  const settings = {
    store,
    model: { name: folder, precision, threads: 1, batch_ms: BATCH_MS, ignore_drift: true },
    listen: { port: 0 },
    limits: { requests: 100_000 },
  };
  const http = async (url: string, call: Call, callers: number, seed: number, from = ids) => {
    const random = new Random('bench serve', seed);
    return closedLoop(callers, SECONDS, async () => {
      const { status, text } = await post(url, httpRequest(call, drawn(call, random, from, texts)));
      if (status !== 200) throw new Error(`${status}: ${text.slice(0, 300)}`);
    });
  };
  if (PARTS.includes('http') || PARTS.includes('throughput')) {
    const server = await startServer(settings);
    const child = await startDirect({ model: folder, precision, store, batchMs: BATCH_MS, ids });
    for (const call of CALLS) {
      for (const callers of [...(PARTS.includes('http') ? [1] : []), ...(PARTS.includes('throughput') ? [MANY] : [])]) {
        const over: Times[] = [];
        const without: Times[] = [];
        // The first round warms both up.
        for (let round = 0; round <= ROUNDS; round++) {
          const [own, other] = [
            await http(server.url, call, callers, round),
            await direct(child, { call, callers, seconds: SECONDS, seed: round }),
          ];
          if (round === 0) continue;
          over.push(own);
          without.push(other);
        }
        const [own, other] = [middle(over), middle(without)];
        note({ model: name, part: 'http', name: nameOf(call), callers, ...own });
        note({ model: name, part: 'engine', name: nameOf(call), callers, ...other });
        if (callers === 1) ratios[`${name} ${nameOf(call)}: milliseconds that HTTP adds at p50`] = own.p50 - other.p50;
        else
          ratios[`${name} ${nameOf(call)}: throughput of HTTP / engine, ${callers} callers`] =
            own.perSecond / other.perSecond;
      }
    }
    const single = (callers: number) =>
      results.find(
        (own) => own.model === name && own.part === 'http' && own.name === 'score' && own.callers === callers,
      );
    if (single(1) && single(MANY))
      ratios[`${name} score: ${MANY} callers / one`] = single(MANY)!.perSecond / single(1)!.perSecond;
    child.disconnect();
    await once(child, 'exit');
    await server.stop();
  }
  if (PARTS.includes('cache')) {
    const server = await startServer(settings);
    for (const pairs of [20, 100]) {
      const [cached, fresh]: [Call, Call] = [
        { kind: 'rerank', pairs },
        { kind: 'rerank texts', pairs },
      ];
      const by = { cached: [] as Times[], fresh: [] as Times[] };
      for (let round = 0; round <= ROUNDS; round++) {
        const own = {
          cached: await http(server.url, cached, 1, round, longIds),
          fresh: await http(server.url, fresh, 1, round),
        };
        if (round === 0) continue;
        by.cached.push(own.cached);
        by.fresh.push(own.fresh);
      }
      const [a, b] = [middle(by.cached), middle(by.fresh)];
      note({ model: name, part: 'cache', name: `${nameOf(cached)}, ${TEXT_TOKENS} tokens`, callers: 1, ...a });
      note({ model: name, part: 'cache', name: `${nameOf(fresh)}, ${TEXT_TOKENS} tokens`, callers: 1, ...b });
      ratios[`${name} rerank ${pairs}: stored / texts of ${TEXT_TOKENS} tokens, requests a second`] =
        a.perSecond / b.perSecond;
    }
    await server.stop();
  }
  if (PARTS.includes('overload')) {
    const server = await startServer(settings);
    const call: Call = { kind: 'rerank', pairs: 20 };
    await http(server.url, call, 1, 0);
    const best = (await http(server.url, call, MANY, 1)).perSecond;
    const deadline = Math.ceil(Math.max(500, 20_000 / best));
    const random = new Random('bench serve', 'open');
    const seconds = Math.max(10, SECONDS * 2);
    const answers = await openLoop(2 * best, seconds, random, () =>
      post(server.url, httpRequest(call, drawn(call, random, ids, texts), deadline)),
    );
    const good = answers.filter(
      ({ answer, ms }) => answer.status === 200 && !answer.text.includes('"degraded":true') && ms <= deadline,
    );
    const accepted = answers.filter(({ answer }) => answer.status === 200);
    const latest = Math.max(...accepted.map(({ ms }) => ms));
    const by = (status: number) => answers.filter(({ answer }) => answer.status === status).length;
    note({
      model: name,
      part: 'overload',
      name: `${nameOf(call)} at twice ${best.toFixed(1)}/s, deadline ${deadline} ms`,
      callers: 0,
      perSecond: good.length / seconds,
      p50: quantile(
        accepted.map(({ ms }) => ms),
        0.5,
      ),
      p99: quantile(
        accepted.map(({ ms }) => ms),
        0.99,
      ),
      note: `${answers.length} sent, ${good.length} in time, 429: ${by(429)}, 504: ${by(504)}, 503: ${by(503)}, latest accepted ${latest.toFixed(0)} ms`,
    });
    ratios[`${name} overload: answers in time / best rate`] = good.length / seconds / best;
    ratios[`${name} overload: latest accepted answer beyond its deadline, in batches of ${BATCH_MS} ms`] =
      Math.max(0, latest - deadline) / BATCH_MS;
    await server.stop();
  }
  if (PARTS.includes('priming')) {
    const server = await startServer({ ...settings, limits: { ...settings.limits, body_bytes: 50_000_000 } });
    const call: Call = { kind: 'rerank', pairs: 20 };
    const count = isTiny ? Number(options.prime) : Math.round(Number(options.prime) / 20);
    await http(server.url, call, 1, 0);
    const alone = middle(await Promise.all([http(server.url, call, 1, 1)]));
    const lines = documentsOf(DOCUMENTS + count)
      .slice(DOCUMENTS)
      .map((own) => JSON.stringify(own))
      .join('\n');
    const begun = performance.now();
    let isPriming = true;
    const primed = postLines(server.url, lines).finally(() => {
      isPriming = false;
    });
    const times: number[] = [];
    const beside = new Random('bench serve', 'beside');
    while (isPriming) {
      const before = performance.now();
      const { status, text } = await post(server.url, httpRequest(call, drawn(call, beside, ids, texts)));
      if (status !== 200) throw new Error(`${status}: ${text.slice(0, 300)}`);
      times.push(performance.now() - before);
    }
    const answered = await primed;
    const seconds = (performance.now() - begun) / 1000;
    note({ model: name, part: 'priming', name: `${nameOf(call)} alone`, callers: 1, ...alone });
    note({
      model: name,
      part: 'priming',
      name: `${nameOf(call)} beside priming`,
      callers: 1,
      perSecond: times.length / seconds,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      note: `${answered} of ${count} documents primed in ${seconds.toFixed(1)} s`,
    });
    ratios[`${name} priming: p99 grows by so many milliseconds (batchMs ${BATCH_MS})`] =
      quantile(times, 0.99) - alone.p99;
    await server.stop();
  }
}
agent.destroy();
await rm(work, { recursive: true, force: true });
if (!options.json) {
  const rows = results.map(({ model, part, name, callers, perSecond, p50, p99, note: more = '' }) => [
    model,
    part,
    name,
    String(callers),
    perSecond.toFixed(1),
    p50.toFixed(1),
    p99.toFixed(1),
    more,
  ]);
  console.log(table(['model', 'part', 'request', 'callers', 'requests/s', 'p50 ms', 'p99 ms', ''], rows).join('\n'));
  for (const [name, value] of Object.entries(ratios)) console.log(`${value.toFixed(2).padStart(8)}  ${name}`);
}
console.log(JSON.stringify({ results, ratios, cpus: os.cpus()[0]?.model, seconds: SECONDS, rounds: ROUNDS }));

/** Primes documents through the server, a line each. @returns how many were */
async function postLines(url: string, lines: string): Promise<number> {
  const answer = await fetch(`${url}/v1/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines,
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  const results = (await answer.text()).trim().split('\n');
  return results.filter((line) => !('error' in JSON.parse(line))).length;
}
