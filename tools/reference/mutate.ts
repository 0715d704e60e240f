/**
 * Breaks the code in one place at a time and checks that a test notices. The tests named must pass on the code as it is and fail on the
 * broken one. All of it happens in a copy, so that the working tree stays as it is, whatever ends the run.
 *
 *   npx tsx tools/reference/mutate.ts [--resume] [PART]...
 *
 * A PART of a name or a path chooses mutations; all of them when none is given. With --resume those are passed over that an earlier run
 * has seen noticed on this very code.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { MUTATIONS } from './mutations/all.js';
import type { Mutation } from './mutations/mutation.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** What mutations and builds change, and what says where the root is: the rest of the copy points to the working tree. */
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts'];
const LEFT_OUT = ['.git', 'dist'];
/** Tests run these rooms from their sources. Others run in the engine's thread, which runs what is built, or make compiled models. */
const RUN_FROM_SOURCE = /^src\/(?:runs|report|store|serving|stats|server)\//;
const PARITY = { tests: 'test/parity.test.ts', only: 'within the stated tolerances' };
/** A build after a mutation is of few files. */
const INCREMENTAL = ['--incremental', '--tsBuildInfoFile', 'mutations.tsbuildinfo'];
/** Against tests that a mutation keeps from ending. */
const LONGEST_MS = 600_000;
/** By digest of mutation and code: what noticed. */
const SEEN_FILE = path.join(ROOT, 'node_modules/.cache/mutations.json');

interface Outcome {
  /** The name of a test that failed; undefined when none did. */
  readonly failed: string | undefined;
  /** Did the run get as far as its tests, and end? */
  readonly ran: boolean;
  readonly output: string;
}

class Stopped extends Error {}

let running: ChildProcess | undefined;
let isStopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isStopped = true;
    running?.kill('SIGTERM');
  });
}

/** Node on a script of the copy. @throws Stopped */
async function run(copy: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  if (isStopped) throw new Stopped();
  const child = spawn(process.execPath, args, {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  running = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  running = undefined;
  if (isStopped) throw new Stopped();
  return { status, output };
}

class Copy {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'dkv-mutations-'));
  /** What `dist` was built from. */
  #built: string | undefined;

  constructor() {
    for (const name of readdirSync(ROOT)) {
      const [from, to] = [path.join(ROOT, name), path.join(this.folder, name)];
      if (COPIED.includes(name)) cpSync(from, to, { recursive: true });
      else if (!LEFT_OUT.includes(name)) symlinkSync(from, to);
    }
  }

  /** @param mutation undefined: the code as it is */
  async test(
    { tests = PARITY.tests, only = defaultOnly(tests), file }: Mutation,
    mutation?: Mutation,
  ): Promise<Outcome> {
    const target = path.join(this.folder, file);
    const sound = readFileSync(target, 'utf8');
    if (mutation)
      writeFileSync(
        target,
        sound.replace(mutation.from, () => mutation.to),
      );
    try {
      const isBuilt = !RUN_FROM_SOURCE.test(file);
      const wanted = mutation && isBuilt ? mutation.name : '';
      if (this.#built !== wanted) {
        const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
        this.#built = undefined;
        const { status, output } = await run(this.folder, [compiler, '-p', 'tsconfig.build.json', ...INCREMENTAL]);
        if (status !== 0) return { failed: undefined, ran: false, output };
        this.#built = wanted;
      }
      return await this.#runTests(tests, only, isBuilt);
    } finally {
      writeFileSync(target, sound);
    }
  }

  async #runTests(tests: string, only: string | undefined, isBuilt: boolean): Promise<Outcome> {
    const report = path.join(this.folder, 'report.json');
    rmSync(report, { force: true });
    // Compiled models are keyed by content and not by the code that made them.
    const cache = path.join(isBuilt ? this.folder : ROOT, isBuilt ? 'cache' : 'node_modules/.cache/directed-kvcache');
    if (isBuilt) rmSync(cache, { recursive: true, force: true });
    const { output } = await run(
      this.folder,
      [
        path.join(ROOT, 'node_modules/vitest/vitest.mjs'),
        ...[
          'run',
          tests,
          '--config',
          'tools/reference/vitest.mutations.config.ts',
          '--root',
          this.folder,
          '--bail',
          '1',
        ],
        ...['--reporter', 'json', '--outputFile', report],
        ...(only === undefined ? [] : ['-t', only]),
      ],
      { DKV_CACHE: cache, DKV_THREADS: '1' },
    );
    if (!existsSync(report)) return { failed: undefined, ran: false, output };
    const { testResults }: Report = JSON.parse(readFileSync(report, 'utf8'));
    const all = testResults.flatMap(({ assertionResults }) => assertionResults);
    const failed = all.find(({ status }) => status === 'failed');
    return { failed: failed?.fullName.trim(), ran: failed !== undefined || all.some(isPassed), output };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** As much of vitest's report as is looked at. */
interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly { status: string; fullName: string }[] }[];
}

function isPassed({ status }: { readonly status: string }): boolean {
  return status === 'passed';
}

function defaultOnly(tests: string): string | undefined {
  return tests === PARITY.tests ? PARITY.only : undefined;
}

/** Over all that can decide an outcome. */
function digestOfCode(): string {
  const hash = createHash('sha256');
  for (const folder of ['src', 'test']) {
    const files = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.ts')).sort()) {
      hash.update(`${folder}/${file}\0`).update(readFileSync(path.join(ROOT, folder, file)));
    }
  }
  return hash.digest('hex');
}

function readSeen(): Record<string, string> {
  return existsSync(SEEN_FILE) ? JSON.parse(readFileSync(SEEN_FILE, 'utf8')) : {};
}

async function main(args: readonly string[]): Promise<void> {
  const parts = args.filter((arg) => arg !== '--resume');
  const isChosen = ({ name, file }: Mutation) => parts.some((part) => name.includes(part) || file.includes(part));
  // What needs no build first.
  const chosen = MUTATIONS.filter((mutation) => parts.length === 0 || isChosen(mutation)).sort(
    (a, b) => Number(RUN_FROM_SOURCE.test(b.file)) - Number(RUN_FROM_SOURCE.test(a.file)),
  );
  const code = digestOfCode();
  const seen = args.includes('--resume') ? readSeen() : {};
  const counts = { noticed: 0, survived: 0, skipped: 0 };
  const sound = new Set<string>();
  const copy = new Copy();
  const say = (verdict: string, { name, file }: Mutation, more: string) =>
    console.log(`${verdict.padEnd(9)} ${file}: ${name} (${more})`);
  try {
    for (const mutation of chosen) {
      const { tests = PARITY.tests, only = '', needs } = mutation;
      const id = createHash('sha256')
        .update(JSON.stringify([code, mutation]))
        .digest('hex');
      if (seen[id] !== undefined) {
        counts.noticed++;
        say('noticed', mutation, `before, by ${seen[id]}`);
        continue;
      }
      if (needs !== undefined && !existsSync(needs)) {
        counts.skipped++;
        say('not tried', mutation, `${needs} is not there`);
        continue;
      }
      const ofTests = `${tests} ${only}`.trim();
      if (!sound.has(ofTests)) {
        const { failed, ran, output } = await copy.test(mutation);
        if (failed !== undefined || !ran) {
          console.log(output.slice(-3000));
          throw new Error(`${ofTests}: ${failed ?? 'no test'} ${ran ? 'fails' : 'ran'} on the code as it is`);
        }
        sound.add(ofTests);
      }
      const { failed, ran, output } = await copy.test(mutation, mutation);
      // A test that fails noticed; a run that did not get as far as its tests says nothing.
      if (failed === undefined) {
        counts.survived++;
        say('SURVIVED', mutation, ran ? ofTests : 'the tests did not run to their end');
        if (!ran) console.log(output.slice(-1500));
        continue;
      }
      counts.noticed++;
      say('noticed', mutation, `${tests}: ${failed}`);
      seen[id] = tests;
      mkdirSync(path.dirname(SEEN_FILE), { recursive: true });
      writeFileSync(SEEN_FILE, JSON.stringify(seen));
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    console.log('Stopped. Go on with --resume.');
    process.exitCode = 130;
  } finally {
    copy.remove();
  }
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} not tried` : '';
  console.log(`${chosen.length} mutations, ${counts.noticed} noticed${skipped}`);
  if (counts.survived > 0) process.exitCode = 1;
}

await main(process.argv.slice(2));
