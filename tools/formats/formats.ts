/** Every JSON format, in the order of docs/formats.md: where it comes from, and its schema. An example of each lies in `examples/`. */
import type { z } from 'zod';
import { experimentFileSchema } from '../../src/experiments/declaration/declared.js';
import { planSchema as fleetPlanFileSchema } from '../../src/fleet/plan.js';
import { beginningSchema, endSchema, failureSchema, reportSchema } from '../../src/fleet/report.js';
import { rowSchema } from '../../src/fleet/row.js';
import { entrySchema as journalEntrySchema } from '../../src/runs/schema/entry.js';
import { journalHeadSchema } from '../../src/runs/schema/journal-head.js';
import { lockedPlanSchema } from '../../src/runs/schema/locked-plan.js';
import {
  packedDigitsSchema,
  packedEndSchema,
  packedHeadSchema,
  packedTrialsSchema,
} from '../../src/runs/schema/packed-trials.js';
import { recordSchema } from '../../src/runs/schema/record.js';
import { sampleSchema } from '../../src/runs/schema/sample.js';
import { summarySchema } from '../../src/runs/schema/summary.js';
import { writtenSchema } from '../../src/runs/schema/written.js';
import { keysFileSchema } from '../../src/server/key-records.js';
import { calibrationsSchema } from '../../src/serving/calibration.js';
import { documentMetadataSchema } from '../../src/serving/document-metadata.js';
import { provenanceSchema as primedNoteSchema } from '../../src/serving/provenance.js';
import { referenceQueriesSchema } from '../../src/serving/reference-queries.js';
import { aliasSchema } from '../../src/store/generations/aliases.js';
import { auditSchema } from '../../src/store/generations/audit.js';
import { leaseSchema } from '../../src/store/generations/leases.js';
import { manifestSchema } from '../../src/store/generations/manifest.js';
import { topSchema } from '../../src/store/generations/shard-reader.js';
import { takedownsHeadSchema, takedownsSchema } from '../../src/store/generations/takedowns.js';
import { lockSchema } from '../../src/store/generations/turns.js';
import { entrySchema } from '../../src/store/records/entry.js';
import { headerSchema } from '../../src/store/records/record.js';
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
  fleetQueueSchema,
  fleetStatusSchema,
  fleetWorkSchema,
} from '../../src/wire/fleet.js';
import {
  catalogueVerificationSchema,
  storeAliasSchema,
  storeAuditLineSchema,
  storeCompactionSchema,
  storeDifferenceCountsSchema,
  storeDifferenceSchema,
  storeGenerationCollectionSchema,
  storeGenerationsSchema,
  storeLiftSchema,
  storePackSchema,
  storePublishSchema,
  storeTakedownSchema,
  storeTakedownsSchema,
} from '../../src/wire/generations.js';
import {
  decisionLineSchema,
  decisionLogHeadSchema,
  logEvaluationSchema,
  outcomeInputSchema,
  shadowLineSchema,
} from '../../src/wire/http/decisions.js';
import { initSchema } from '../../src/wire/init.js';
import { documentInputSchema, queryInputSchema, referenceQueryInputSchema } from '../../src/wire/inputs.js';
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
  poolLeftOutSchema,
  reportFilesSchema,
  runComparisonSchema,
  runLogSchema,
} from '../../src/wire/runs.js';
import { scoreAnswerSchema, scoreLineSchema, scoreRefusalSchema } from '../../src/wire/score.js';

export interface Format {
  readonly title: string;
  /** Where it comes from, or who reads it: a sentence. */
  readonly source: string;
  readonly schema: z.ZodType;
  /** Of the file in `examples/`, without its ending. */
  readonly example: string;
  /** It ends with a checksum. */
  readonly isSealed?: true;
}

export interface Chapter {
  readonly title: string;
  readonly text: string;
  readonly formats: readonly Format[];
}

export const CHAPTERS: readonly Chapter[] = [
  {
    title: 'What commands read',
    text: 'Names are snake_case. A line that is not of its form is refused with its number, the field, what was expected and what was found. Documents, queries and rows of experiments may as well be tables (CSV, TSV, Parquet) whose columns have these names, or others that `--columns` says.',
    formats: [
      { title: 'A line to score', source: 'Read by `dkv score`.', schema: scoreLineSchema, example: 'score-line' },
      {
        title: 'A document',
        source: 'Read by `dkv prime`, which keeps every other field of the line with the document.',
        schema: documentInputSchema,
        example: 'document',
      },
      {
        title: 'A query',
        source: 'Read by `dkv rank` and `dkv evaluate`.',
        schema: queryInputSchema,
        example: 'query',
      },
      {
        title: 'A reference query',
        source: 'Read by `dkv prime --prior` from a file that ends in .jsonl.',
        schema: referenceQueryInputSchema,
        example: 'reference-query',
      },
      {
        title: 'An outcome',
        source:
          'Read by `dkv evaluate --log` from the file of `--outcomes`. What a line says besides is not looked at.',
        schema: outcomeInputSchema,
        example: 'outcome',
      },
      {
        title: 'An experiment',
        source:
          'Read by `dkv run FILE`, as JSON or YAML. A field that is left out has the default that its description names.',
        schema: experimentFileSchema,
        example: 'experiment',
      },
    ],
  },
  {
    title: 'What commands print',
    text: 'With `--json` a command prints one line of JSON on the standard output (`dkv list` one for each experiment); messages and progress go to standard error. Numbers are written with enough digits to read the same number back.',
    formats: [
      {
        title: 'A score',
        source: 'Answer of `dkv score` to a line.',
        schema: scoreAnswerSchema,
        example: 'score-answer',
      },
      {
        title: 'A refusal',
        source: 'Answer of `dkv score` to a line that cannot be scored.',
        schema: scoreRefusalSchema,
        example: 'score-refusal',
      },
      {
        title: 'dkv init',
        source: 'Printed by `dkv init --json`.',
        schema: initSchema,
        example: 'init',
      },
      {
        title: 'dkv prime',
        source: 'Printed by `dkv prime --json`.',
        schema: primeSummarySchema,
        example: 'prime-summary',
      },
      {
        title: 'A rejected document',
        source: 'A line of the file of rejects of `dkv prime`.',
        schema: primeRejectSchema,
        example: 'prime-reject',
      },
      { title: 'dkv rank', source: 'Printed by `dkv rank --json`.', schema: rankedRunSchema, example: 'ranked-run' },
      {
        title: 'A ranked document',
        source: 'A line of `dkv rank --details`.',
        schema: rankedLineSchema,
        example: 'ranked-line',
      },
      {
        title: 'dkv evaluate',
        source: 'Printed by `dkv evaluate --json`.',
        schema: evaluationSchema,
        example: 'evaluation',
      },
      {
        title: 'dkv evaluate --log',
        source: 'Printed by `dkv evaluate --log --json`.',
        schema: logEvaluationSchema,
        example: 'log-evaluation',
      },
      {
        title: 'dkv store stats',
        source: 'Printed by `dkv store stats --json`.',
        schema: storeStatsSchema,
        example: 'store-stats',
      },
      {
        title: 'dkv store verify',
        source: 'Printed by `dkv store verify --json`.',
        schema: storeVerificationSchema,
        example: 'store-verification',
      },
      {
        title: 'dkv store gc',
        source: 'Printed by `dkv store gc --json`.',
        schema: storeCollectionSchema,
        example: 'store-collection',
      },
      {
        title: 'dkv store export, import, copy',
        source: 'Printed by these with `--json`; by an export to the standard output on standard error.',
        schema: storeTransferSchema,
        example: 'store-transfer',
      },
      {
        title: 'dkv store pack',
        source: 'Printed by `dkv store pack --json`.',
        schema: storePackSchema,
        example: 'store-pack',
      },
      {
        title: 'dkv store publish',
        source: 'Printed by `dkv store publish --json`.',
        schema: storePublishSchema,
        example: 'store-publish',
      },
      {
        title: 'dkv store activate, rollback',
        source: 'Printed by these with `--json`.',
        schema: storeAliasSchema,
        example: 'store-alias',
      },
      {
        title: 'dkv store generations',
        source: 'Printed by `dkv store generations --json`.',
        schema: storeGenerationsSchema,
        example: 'store-generations',
      },
      {
        title: 'A difference',
        source: 'A line of `dkv store diff --json`.',
        schema: storeDifferenceSchema,
        example: 'store-difference',
      },
      {
        title: 'Differences, counted',
        source: 'The last line of `dkv store diff --json`.',
        schema: storeDifferenceCountsSchema,
        example: 'store-difference-counts',
      },
      {
        title: 'dkv store compact',
        source: 'Printed by `dkv store compact --json`.',
        schema: storeCompactionSchema,
        example: 'store-compaction',
      },
      {
        title: 'dkv store collect',
        source: 'Printed by `dkv store collect --json`.',
        schema: storeGenerationCollectionSchema,
        example: 'store-generation-collection',
      },
      {
        title: 'dkv store takedown',
        source: 'Printed by `dkv store takedown --json`.',
        schema: storeTakedownSchema,
        example: 'store-takedown',
      },
      {
        title: 'dkv store takedown --lift',
        source: 'Printed by `dkv store takedown --lift --json`.',
        schema: storeLiftSchema,
        example: 'store-lift',
      },
      {
        title: 'dkv store takedowns',
        source: 'Printed by `dkv store takedowns --json`.',
        schema: storeTakedownsSchema,
        example: 'store-takedowns',
      },
      {
        title: 'dkv store audit',
        source: 'A line of `dkv store audit --json`.',
        schema: storeAuditLineSchema,
        example: 'store-audit-line',
      },
      {
        title: 'dkv store verify packed:',
        source:
          'Printed by `dkv store verify --json` for a catalogue of generations; with `--documents -` on standard error.',
        schema: catalogueVerificationSchema,
        example: 'catalogue-verification',
      },
      {
        title: 'dkv keys create',
        source: 'Printed by `dkv keys create --json`.',
        schema: keyCreatedSchema,
        example: 'key-created',
      },
      {
        title: 'dkv keys list',
        source: 'Printed by `dkv keys list --json`.',
        schema: keyListSchema,
        example: 'key-list',
      },
      {
        title: 'dkv keys revoke',
        source: 'Printed by `dkv keys revoke --json`.',
        schema: keyRevokedSchema,
        example: 'key-revoked',
      },
      {
        title: 'dkv fleet plan',
        source: 'Printed by `dkv fleet plan --json`.',
        schema: fleetPlanSchema,
        example: 'fleet-plan',
      },
      {
        title: 'dkv fleet work',
        source: 'A line of `dkv fleet work --json` and `dkv fleet serve-queue --json`, for each chunk.',
        schema: fleetWorkSchema,
        example: 'fleet-work',
      },
      {
        title: 'dkv fleet finish',
        source: 'Printed by `dkv fleet finish --json`.',
        schema: fleetFinishSchema,
        example: 'fleet-finish',
      },
      {
        title: 'dkv fleet status',
        source: 'Printed by `dkv fleet status --json`.',
        schema: fleetStatusSchema,
        example: 'fleet-status',
      },
      {
        title: 'dkv fleet queue',
        source: 'Printed by `dkv fleet queue --json`.',
        schema: fleetQueueSchema,
        example: 'fleet-queue',
      },
      {
        title: 'dkv fleet drop',
        source: 'Printed by `dkv fleet drop --json`.',
        schema: fleetDropSchema,
        example: 'fleet-drop',
      },
      {
        title: 'dkv list experiments',
        source: 'A line of `dkv list experiments --json`.',
        schema: listedExperimentSchema,
        example: 'listed-experiment',
      },
      {
        title: 'dkv report',
        source: 'Printed by `dkv report --json`.',
        schema: reportFilesSchema,
        example: 'report-files',
      },
      {
        title: 'dkv import authors',
        source: 'Printed by `dkv import authors --json`.',
        schema: importedRunsSchema,
        example: 'imported-runs',
      },
      {
        title: 'dkv plan',
        source: 'Written by `dkv plan`, read by `dkv run --plan`. The digest of this example is of the whole one.',
        schema: lockedPlanSchema,
        example: 'plan',
      },
      {
        title: 'dkv compare',
        source: 'Printed by `dkv compare --json`.',
        schema: runComparisonSchema,
        example: 'run-comparison',
      },
      {
        title: 'dkv pool',
        source: 'Printed by `dkv pool --json`.',
        schema: pooledRunsSchema,
        example: 'pooled-runs',
      },
      {
        title: 'dkv pool: left out',
        source: 'Printed by `dkv pool --json` behind the others, for experiments that are not taken together.',
        schema: poolLeftOutSchema,
        example: 'pool-left-out',
      },
      { title: 'dkv log', source: 'Printed by `dkv log --json`.', schema: runLogSchema, example: 'run-log' },
      {
        title: 'dkv models list',
        source: 'Printed by `dkv models list --json`.',
        schema: modelListSchema,
        example: 'model-list',
      },
      {
        title: 'dkv models list --known',
        source: 'Printed by `dkv models list --known --json`.',
        schema: knownModelsSchema,
        example: 'known-models',
      },
      {
        title: 'dkv models info',
        source: 'Printed by `dkv models info --json`.',
        schema: modelInfoSchema,
        example: 'model-info',
      },
      {
        title: 'dkv models verify',
        source: 'Printed by `dkv models verify --json`.',
        schema: modelVerificationSchema,
        example: 'model-verification',
      },
      {
        title: 'dkv devices',
        source: 'Printed by `dkv devices --json`.',
        schema: devicesSchema,
        example: 'devices',
      },
      {
        title: 'dkv devices install',
        source: 'Printed by `dkv devices install --json`.',
        schema: deviceInstallSchema,
        example: 'device-install',
      },
      {
        title: 'dkv devices remove',
        source: 'Printed by `dkv devices remove --json`.',
        schema: deviceRemovalSchema,
        example: 'device-removal',
      },
      {
        title: 'dkv doctor',
        source: 'Printed by `dkv doctor --json`: a list.',
        schema: doctorSchema,
        example: 'doctor',
      },
      { title: 'dkv sanity', source: 'Printed by `dkv sanity --json`.', schema: sanitySchema, example: 'sanity' },
      { title: 'dkv demo', source: 'Printed by `dkv demo --json`.', schema: demoSchema, example: 'demo' },
      { title: 'An advertisement', source: 'A line of `dkv data adworld`.', schema: adSchema, example: 'ad' },
      { title: 'A pool', source: 'A line of `dkv data adworld --pools`.', schema: poolSchema, example: 'pool' },
      {
        title: 'A document of a collection',
        source: 'A line of the corpus.jsonl of `dkv data adworld --beir`.',
        schema: corpusLineSchema,
        example: 'corpus-line',
      },
      {
        title: 'A query of a collection',
        source: 'A line of the queries.jsonl of `dkv data adworld --beir`.',
        schema: queryLineSchema,
        example: 'query-line',
      },
      {
        title: 'dkv data adworld --stats',
        source: 'Printed by `dkv data adworld --stats --json`.',
        schema: adworldStatisticsSchema,
        example: 'adworld-statistics',
      },
    ],
  },
  {
    title: 'What a run folder holds',
    text: '`dkv run --json` prints the summary. Examples are of a run of the built-in model. These names stand in TypeScript too: what `readRun`, `parseRunFiles` and `runExperiment` give, and the experiments that `defineExperiment` takes, have the members of the files, snake_case.',
    formats: [
      {
        title: 'run.json',
        source: 'The record of what is run, written when the run starts.',
        schema: recordSchema,
        example: 'run',
        isSealed: true,
      },
      {
        title: 'samples.jsonl',
        source: 'One line for each sample. Compressed, it is `samples.jsonl.gz`.',
        schema: sampleSchema,
        example: 'sample',
        isSealed: true,
      },
      {
        title: 'The first line of trials.jsonl',
        source:
          'Says which run the trials are of. The checksum of every later line goes on from its own: `zlib.crc32(bytes, before)`. Journals of older runs have no such line.',
        schema: journalHeadSchema,
        example: 'journal-head',
        isSealed: true,
      },
      {
        title: 'trials.jsonl',
        source:
          'The journal. After its first line it has one line for each trial, each measurement inside the encoder, and each sample that could not be scored. Compressed, it is `trials.jsonl.gz`, packed or not.',
        schema: journalEntrySchema,
        example: 'trial',
        isSealed: true,
      },
      {
        title: 'The first line of packed trials',
        source:
          'What `dkv run --compress` leaves in `trials.jsonl.gz`. This line is the head of those that follow, which have no checksums.',
        schema: packedHeadSchema,
        example: 'packed-head',
      },
      {
        title: 'Packed trials',
        source:
          'A line for the trials of one sample, with a column for each condition. A sample that could not be scored has the line that the journal has.',
        schema: packedTrialsSchema,
        example: 'packed-trials',
      },
      {
        title: 'The digits of packed trials',
        source:
          'The line before the last: the numbers of all lines, one line after the other and row by row. Runs without NLLs, or whose NLLs have no unit, have no such line. In the example, which goes with the line above, `bare_d` has the NLLs (5918212 − 936258) / 2^22 and (26096 + 80) / 2^22.',
        schema: packedDigitsSchema,
        example: 'packed-digits',
      },
      {
        title: 'The last line of packed trials',
        source: 'Its checksum goes on from that of all lines before it: `zlib.crc32(bytes, zlib.crc32(before))`.',
        schema: packedEndSchema,
        example: 'packed-end',
        isSealed: true,
      },
      {
        title: 'written.json',
        source:
          'Texts that models wrote for the documents, with who wrote them and how. The file exists where a model writes a surrogate.',
        schema: writtenSchema,
        example: 'written',
        isSealed: true,
      },
      {
        title: 'summary.json',
        source: 'The results of the run, computed from its trials. Compressed, it is `summary.json.gz`.',
        schema: summarySchema,
        example: 'summary',
        isSealed: true,
      },
    ],
  },
  {
    title: 'What a store keeps',
    text: 'Names are camelCase here: these are formats of version 1, which stay as they are. How bytes are laid out around them stands in [store.md](store.md).',
    formats: [
      {
        title: 'The header of a record',
        source: 'It stands in front of the states.',
        schema: headerSchema,
        example: 'record-header',
      },
      {
        title: 'The entry of a document',
        source: 'The variants and records that an id points to.',
        schema: entrySchema,
        example: 'store-entry',
      },
      {
        title: 'What priming says of a document',
        source: 'The `metadata` of an entry that `dkv prime` made.',
        schema: documentMetadataSchema,
        example: 'document-metadata',
      },
      {
        title: 'The note “primed”',
        source: 'What the whole store was primed with.',
        schema: primedNoteSchema,
        example: 'note-primed',
      },
      {
        title: 'The note “prior”',
        source: 'Reference queries of the documents’ priors.',
        schema: referenceQueriesSchema,
        example: 'note-prior',
      },
      {
        title: 'The note “calibration”',
        source: 'Calibrations of `dkv evaluate --calibrate`, by what their scores were made with.',
        schema: calibrationsSchema,
        example: 'note-calibration',
      },
    ],
  },
  {
    title: 'What a catalogue of generations keeps',
    text: 'Names are camelCase: formats of version 1. Each of these files but manifests, and what stands in a shard, is two lines: the SHA-256 of the second in hexadecimal digits, and the JSON. What the files are for, and how bytes of a shard are laid out: [generations.md](generations.md).',
    formats: [
      {
        title: 'drafts/ID.json, generations/ID.json',
        source:
          'The manifest of a generation, written last. It has no line with a checksum: its id ends with the first 16 digits of the SHA-256 of its bytes.',
        schema: manifestSchema,
        example: 'generation-manifest',
      },
      {
        title: 'The index of a shard',
        source: 'Its top, in front of the filter and the list of leaves.',
        schema: topSchema,
        example: 'shard-top',
      },
      {
        title: 'aliases/NAME.json',
        source: 'Which generation an alias names, and named before.',
        schema: aliasSchema,
        example: 'catalogue-alias',
      },
      {
        title: 'takedowns.json',
        source: 'The end of the list of takedowns in a catalogue of generations: there from the first publication on.',
        schema: takedownsHeadSchema,
        example: 'catalogue-takedowns-head',
      },
      {
        title: 'takedowns/NUMBER.json',
        source: 'Documents that were taken down or lifted, in files that are never changed.',
        schema: takedownsSchema,
        example: 'catalogue-takedowns',
      },
      {
        title: 'audit/TIME-RANDOM.json',
        source: 'What was done.',
        schema: auditSchema,
        example: 'catalogue-audit',
      },
      {
        title: 'leases/ID/READER.json',
        source: 'A reader holds a generation.',
        schema: leaseSchema,
        example: 'catalogue-lease',
      },
      {
        title: 'lock.json',
        source: 'Whose turn it is to change something.',
        schema: lockSchema,
        example: 'catalogue-lock',
      },
    ],
  },
  {
    title: 'What a server keeps',
    text: 'The file of keys is written by `dkv keys` and read by `dkv serve`, which follows its changes. Only its owner may read it: the salts in it separate tenants.',
    formats: [
      {
        title: 'The file of keys',
        source: 'Written by `dkv keys create`.',
        schema: keysFileSchema,
        example: 'keys-file',
      },
      {
        title: 'The head of a decision log',
        source: 'The first line of each file of [the log](decisions.md).',
        schema: decisionLogHeadSchema,
        example: 'decision-log-head',
      },
      {
        title: 'A decision',
        source: 'A line of the log: an answer.',
        schema: decisionLineSchema,
        example: 'decision',
      },
      {
        title: 'A shadow ranking',
        source: 'A line of the log: what another variant would have answered.',
        schema: shadowLineSchema,
        example: 'shadow',
      },
    ],
  },
  {
    title: 'What a fleet keeps in a catalogue',
    text: 'Names are camelCase: formats of version 1. Each of these files but plans and rows is two lines: the SHA-256 of the second in hexadecimal digits, and the JSON. How they are used: [fleet.md](fleet.md).',
    formats: [
      {
        title: 'fleet/PLAN/plan.json',
        source:
          'A plan, written after its rows. Its id, the name of the folder, is the first 16 digits of the SHA-256 of its bytes.',
        schema: fleetPlanFileSchema,
        example: 'fleet-plan-file',
      },
      {
        title: 'A line of fleet/PLAN/rows/CHUNK.gz',
        source:
          'A row of the corpus, unpacked. Before the rows stand the documents that a delta takes out, a line `{"removed": SLOT}` each.',
        schema: rowSchema,
        example: 'fleet-row',
      },
      {
        title: 'fleet/PLAN/chunks/CHUNK.json',
        source: 'A chunk is done: written after its shard.',
        schema: reportSchema,
        example: 'fleet-report',
      },
      {
        title: 'fleet/PLAN/failures/CHUNK.json',
        source: 'What went wrong with a chunk, until it is done.',
        schema: failureSchema,
        example: 'fleet-failure',
      },
      {
        title: 'fleet/PLAN/finish.json',
        source: 'A coordinator has begun to finish; others make the same generation.',
        schema: beginningSchema,
        example: 'fleet-beginning',
      },
      {
        title: 'fleet/PLAN/finished.json',
        source: 'The generation is published.',
        schema: endSchema,
        example: 'fleet-end',
      },
    ],
  },
];
