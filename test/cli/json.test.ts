/** Every command that prints JSON, on the built-in model: what it prints is what its schema says, and its names are snake_case. */
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { tryParse } from '../../src/base/parse.js';
import { CUDA_PROVIDER_FILES } from '../../src/engine/cuda-library.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { summarySchema } from '../../src/runs/schema/summary.js';
import { DecisionLog, decisionSettingsSchema } from '../../src/server/decisions.js';
import {
  adSchema,
  adworldStatisticsSchema,
  corpusLineSchema,
  poolSchema,
  queryLineSchema,
} from '../../src/wire/adworld.js';
import { deviceInstallSchema, deviceRemovalSchema, devicesSchema } from '../../src/wire/devices.js';
import {
  fleetDropSchema,
  fleetFinishSchema,
  fleetPlanSchema,
  fleetStatusSchema,
  fleetWorkSchema,
} from '../../src/wire/fleet.js';
import {
  catalogueVerificationSchema,
  storeAliasSchema,
  storeAuditLineSchema,
  storeCompactionSchema,
  storeDifferenceCountsSchema,
  storeGenerationCollectionSchema,
  storeGenerationsSchema,
  storeLiftSchema,
  storePackSchema,
  storePublishSchema,
  storeTakedownSchema,
  storeTakedownsSchema,
} from '../../src/wire/generations.js';
import { logEvaluationSchema } from '../../src/wire/http/decisions.js';
import { initSchema } from '../../src/wire/init.js';
import { keyCreatedSchema, keyListSchema, keyRevokedSchema } from '../../src/wire/keys.js';
import {
  demoSchema,
  doctorSchema,
  knownModelsSchema,
  modelInfoSchema,
  modelListSchema,
  modelVerificationSchema,
  sanitySchema,
} from '../../src/wire/models.js';
import {
  primeRejectSchema,
  primeSummarySchema,
  storeCollectionSchema,
  storeStatsSchema,
  storeTransferSchema,
  storeVerificationSchema,
} from '../../src/wire/primed.js';
import { evaluationSchema, rankedLineSchema, rankedRunSchema } from '../../src/wire/ranking.js';
import {
  importedRunsSchema,
  listedExperimentSchema,
  pooledRunsSchema,
  reportFilesSchema,
  runComparisonSchema,
  runLogSchema,
} from '../../src/wire/runs.js';
import { scoreAnswerSchema, scoreRefusalSchema } from '../../src/wire/score.js';
import { madeRun, writeRun } from '../report/made-run.js';
import { madeRecords, writeNumbers } from '../support/authors-records.js';
import { dkv } from '../support/dkv.js';
import { madeDecision, madeShadow } from '../support/made-decisions.js';

const BUILT_IN = path.resolve(import.meta.dirname, '../../models/tiny');
const RANKING = ['--store', 'ads', '--queries', 'beir/queries.jsonl', '--qrels', 'beir/qrels/test.tsv'];

const KEYS = {
  format: 1,
  tenants: { ads: { salt: '' } },
  keys: [
    { id: 'aaaaaaaaaaaa', tenant: 'ads', sha256: '0'.repeat(64), scopes: ['read'], created_at: '2026-11-28T10:00:00Z' },
  ],
};

/** Commands, what they print, and files of JSON lines that they write. */
const CASES: readonly [args: string[], schema: z.ZodType | undefined, files?: Record<string, z.ZodType>][] = [
  [
    ['data', 'adworld', '--count', '4', '--beir', 'beir', '--replace'],
    undefined,
    {
      'beir/corpus.jsonl': corpusLineSchema,
      'beir/queries.jsonl': queryLineSchema,
    },
  ],
  [['data', 'adworld', '--count', '2'], adSchema],
  [['data', 'adworld', '--count', '2', '--pools'], poolSchema],
  [['data', 'adworld', '--count', '8', '--stats', '--json'], adworldStatisticsSchema],
  [
    ['prime', '--input', 'documents.jsonl', '--store', 'ads', '--prior', 'prior.txt', '--json'],
    primeSummarySchema,
    {
      'documents.jsonl.rejects.jsonl': primeRejectSchema,
    },
  ],
  [
    ['rank', ...RANKING, '--output', 'run.txt', '--details', 'details.jsonl', '--json'],
    rankedRunSchema,
    {
      'details.jsonl': rankedLineSchema,
    },
  ],
  [['evaluate', ...RANKING, '--calibrate', '--json'], evaluationSchema],
  [['evaluate', '--log', 'log', '--outcomes', 'outcomes.jsonl', '--json'], logEvaluationSchema],
  [['init', 'served', '--for', 'serving', '--data', 'documents.jsonl', '--json'], initSchema],
  [['store', 'stats', 'ads', '--json'], storeStatsSchema],
  [['store', 'verify', 'ads', '--json'], storeVerificationSchema],
  [['store', 'gc', 'ads', '--json'], storeCollectionSchema],
  [['store', 'export', 'ads', 'ads.dkv', '--json'], storeTransferSchema],
  [['store', 'import', 'imported', 'ads.dkv', '--json'], storeTransferSchema],
  [['store', 'copy', 'ads', 'copied', '--json'], storeTransferSchema],
  [['store', 'pack', 'ads', 'catalogue', '--json'], storePackSchema],
  [['store', 'publish', 'catalogue', '--json'], storePublishSchema],
  [['store', 'activate', 'catalogue', '--json'], storeAliasSchema],
  [['store', 'takedown', 'catalogue', 'no-ad', '--json'], storeTakedownSchema],
  [['store', 'takedowns', 'catalogue', '--json'], storeTakedownsSchema],
  [['store', 'compact', 'catalogue', '--activate', '--json'], storeCompactionSchema],
  [['store', 'diff', 'catalogue', 'live', 'live', '--json'], storeDifferenceCountsSchema],
  [['store', 'rollback', 'catalogue', '--json'], storeAliasSchema],
  [['store', 'generations', 'catalogue', '--json'], storeGenerationsSchema],
  [['store', 'collect', 'catalogue', '--min-age', '0', '--json'], storeGenerationCollectionSchema],
  [['store', 'takedown', 'catalogue', 'no-ad', '--lift', '--json'], storeLiftSchema],
  [['store', 'audit', 'catalogue', '--json'], storeAuditLineSchema],
  [['store', 'verify', 'packed:catalogue', '--json'], catalogueVerificationSchema],
  [
    ['keys', 'create', '--file', 'keys.json', '--tenant', 'acme', '--pairs-per-minute', '600', '--json'],
    keyCreatedSchema,
  ],
  [['keys', 'list', '--file', 'keys.json', '--json'], keyListSchema],
  [['keys', 'revoke', '--file', 'keys.json', 'aaaaaaaaaaaa', '--json'], keyRevokedSchema],
  [['fleet', 'plan', 'fleet', '--input', 'documents.jsonl', '--json'], fleetPlanSchema],
  [['fleet', 'status', 'fleet', '--json'], fleetStatusSchema],
  [['fleet', 'work', 'fleet', '--chunk', '0', '--json'], fleetWorkSchema],
  [
    ['fleet', 'finish', 'fleet', '--rejects', 'fleet-rejects.jsonl', '--json'],
    fleetFinishSchema,
    { 'fleet-rejects.jsonl': primeRejectSchema },
  ],
  [['fleet', 'plan', 'fleet', '--input', 'documents.jsonl', '--states', 'int8', '--json'], fleetPlanSchema],
  [['fleet', 'drop', 'fleet', '--json'], fleetDropSchema],
  [['score', '--input', 'lines.jsonl'], z.union([scoreAnswerSchema, scoreRefusalSchema])],
  [['demo', '--document', 'The lamp costs 24 euros.', '--json'], demoSchema],
  [['devices', 'list', '--json'], devicesSchema],
  [['devices', 'install', 'cuda', '--from', 'provider', '--dry-run', '--json'], deviceInstallSchema],
  [['devices', 'remove', 'cuda', '--json'], deviceRemovalSchema],
  [['doctor', '--json'], doctorSchema],
  [['sanity', '--n', '8', '--json'], sanitySchema],
  [['models', 'list', '--json'], modelListSchema],
  [['models', 'list', '--known', '--json'], knownModelsSchema],
  [['models', 'info', BUILT_IN, '--json'], modelInfoSchema],
  [['models', 'verify', BUILT_IN, '--json'], modelVerificationSchema],
  [['list', 'experiments', '--json'], listedExperimentSchema],
  [['run', 'exp01', '--n', '4', '--out', 'runs/own', '--json'], summarySchema],
  [['report', 'runs/one', '--format', 'md', '--json'], reportFilesSchema],
  [['compare', 'runs/one', 'runs/two', '--json'], runComparisonSchema],
  [['pool', 'runs/one', 'runs/other', '--json'], pooledRunsSchema],
  // Folders of run folders.
  [['pool', 'units/first', 'units/second', '--json'], pooledRunsSchema],
  [['log', 'runs', '--json'], runLogSchema],
  [['import', 'authors', 'theirs', '--out', 'authors', '--json'], importedRunsSchema],
];

describe('JSON that commands print', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(path.join(os.tmpdir(), 'dkv-json-'));
    await dkv(['data', 'adworld', '--count', '4', '--beir', 'beir'], { cwd });
    const corpus = await readFile(path.join(cwd, 'beir/corpus.jsonl'), 'utf8');
    await writeFile(path.join(cwd, 'documents.jsonl'), `${corpus}{"_id":"empty","text":""}\n`);
    await writeFile(path.join(cwd, 'prior.txt'), 'a lamp\na chair\n');
    await writeFile(
      path.join(cwd, 'lines.jsonl'),
      '{"id":1.0,"document":"A lamp.","target":"lamp"}\n{"document":"x"}\n',
    );
    await writeFile(path.join(cwd, 'keys.json'), JSON.stringify(KEYS));
    const log = await DecisionLog.open(decisionSettingsSchema.parse({ folder: path.join(cwd, 'log') }), {
      experiment: null,
      onNotice: () => undefined,
    });
    for (let n = 0; n < 6; n++) {
      log.write(madeDecision({ decision: `d${n}`, arm: n % 2 === 0 ? 'bare' : 'primed', unit: `${n}`.repeat(32) }));
      log.write(madeShadow(`d${n}`, [2, 1, 3, 4]));
    }
    await log.close();
    await writeFile(path.join(cwd, 'outcomes.jsonl'), '{"decision_id":"d1","document_id":"a","reward":1}\n');
    await mkdir(path.join(cwd, 'provider'));
    for (const name of CUDA_PROVIDER_FILES) await writeFile(path.join(cwd, 'provider', name), 'not looked at');
    await mkdir(path.join(cwd, 'theirs'));
    await writeNumbers(path.join(cwd, 'theirs'), madeRecords());
    for (const name of ['one', 'two']) await writeRun(path.join(cwd, 'runs', name), madeRun(truncation));
    const other = madeRun(truncation, { model: { name: 'other/model', fingerprint: 'e'.repeat(64) } });
    await writeRun(path.join(cwd, 'runs', 'other'), other);
    await writeRun(path.join(cwd, 'units', 'first', 'exp01'), madeRun(truncation));
    await writeRun(path.join(cwd, 'units', 'second', 'exp01'), other);
  });

  afterAll(() => rm(cwd, { recursive: true }));

  it.each(CASES)('%j', async (args, schema, files = {}) => {
    const { stdout, stderr } = await dkv(args, { cwd, env: { HF_HUB_OFFLINE: '1' } });
    const written = Object.entries(files).map(async ([file, form]) => [
      await readFile(path.join(cwd, file), 'utf8'),
      form,
    ]);
    const texts = [[stdout, schema], ...(await Promise.all(written))] as [string, z.ZodType | undefined][];
    for (const [text, form] of texts) {
      if (!form) continue;
      const lines = text.split('\n').filter((line) => line !== '');
      expect(lines, stderr).not.toEqual([]);
      for (const line of lines) {
        const json = JSON.parse(line);
        expect(tryParse(form, json)).toMatchObject({ success: true });
        expect(namesOf(json).filter((name) => !/^[a-z0-9_]+$/.test(name))).toEqual([]);
      }
    }
  });

  it('is tried for every command that has --json', async () => {
    const folder = path.resolve(import.meta.dirname, '../../src/cli');
    const found = new Set<string>();
    for (const file of readdirSync(folder)) {
      // The command line itself runs when it is imported.
      if (file === 'main.ts' || file === 'completion.ts') continue;
      const exported: Record<string, unknown> = await import(path.join(folder, file));
      for (const [name, make] of Object.entries(exported)) {
        if (/^[a-z]+Command$/.test(name)) for (const command of withJson((make as () => Command)())) found.add(command);
      }
    }
    // Made by dkv models, whose part it is.
    found.delete('verify');
    // They want a server: test/fleet/queue.test.ts.
    for (const queue of ['fleet queue', 'fleet serve-queue']) found.delete(queue);
    const tried = CASES.filter(([args]) => args.includes('--json')).map(([args]) => args.slice(0, 2).join(' '));
    const isTried = (command: string) => tried.some((one) => one === command || one.startsWith(`${command} `));
    expect([...found].filter((command) => !isTried(command))).toEqual([]);
    expect(found.size).toBeGreaterThan(15);
  });
});

function withJson(command: Command, above = ''): string[] {
  const name = `${above}${command.name()}`;
  const own = command.options.some(({ long }) => long === '--json') ? [name] : [];
  return [...own, ...command.commands.flatMap((part) => withJson(part, `${name} `))];
}

/** Names of members, but for those of data: what stands under these is named by the user, or by what was scored. */
const DATA = new Set(['calibration', 'memory', 'terms', 'd', 'measures', 'chosen']);

function namesOf(value: unknown, under = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => namesOf(item, under));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    ...(DATA.has(under) ? [] : [name]),
    ...namesOf(member, name),
  ]);
}
