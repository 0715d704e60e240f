/** `dkv models`: what is on disk, what it is, and how to bring it there or get rid of it. */

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Command, Option } from 'commander';
import { DkvError } from '../base/errors.js';
import { gigabytes, readTextIfPresent } from '../base/files.js';
import { listRepositories, RepositoryCache } from '../hub/cache.js';
import { hubSettings } from '../hub/settings.js';
import { removeUnreferenced, sharedBlobsOf } from '../hub/shared-blobs.js';
import { type Checkpoint, openCheckpoint } from '../model/checkpoint.js';
import { cachedDigest } from '../model/checkpoint-digest.js';
import { type CompiledForm, compiledFoldersOf, defaultCacheDirectory, listCompiled } from '../model/compiled.js';
import { readConfig, shapeOf } from '../model/families/families.js';
import { WEIGHTS_PRECISIONS, type WeightsPrecision } from '../model/graph/layout.js';
import { availableMemory, memoryEstimate, weightCount } from '../model/memory.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import { renderText, type Table } from '../report/tables/table.js';
import { describeDrift, driftRecord } from '../scoring/drift.js';
import { KNOWN_MODELS, knownSizeBytes } from '../scoring/known-models.js';
import { BUILT_IN_MODEL, compileMeasured, findModel, loadTokenizerOf } from '../scoring/load-model.js';
import { parseModelReference } from '../scoring/pull-model.js';
import { knownModelsSchema, modelInfoSchema, modelListSchema } from '../wire/models.js';
import { printJson } from './json.js';
import { DEFAULT_MAX_LENGTH, LoadingProgress } from './model-options.js';
import { verifyCommand } from './models-verify.js';
import { shownBytes } from './quantities.js';
import { interruptSignal } from './terminal.js';

const MODEL = [
  '<model>',
  'checkpoint folder, organisation/name[@revision] on the hub, or tiny, the built-in model',
] as const;

export function modelsCommand(): Command {
  return new Command('models')
    .description('Models on disk: bring, list, describe, compile, verify, remove.')
    .addHelpText(
      'after',
      `
Downloads share Hugging Face's cache folder (HF_HUB_CACHE, HF_HOME) with Python; compiled forms lie under DKV_CACHE.
T5Gemma 2 is gated: accept the licence on the model's page, then set HF_TOKEN. FLAN-T5, T5 and BART need no token.

Examples:
  dkv models list --known
  dkv models pull google/flan-t5-base
  dkv models info google/t5gemma-2-270m-270m
  dkv models list --json`,
    )
    .addCommand(pullCommand())
    .addCommand(listCommand())
    .addCommand(infoCommand())
    .addCommand(compileCommand())
    .addCommand(verifyCommand())
    .addCommand(removeCommand());
}

function pullCommand(): Command {
  return new Command('pull')
    .description('Download what it takes to run a model; goes on where an earlier download stopped.')
    .argument(...MODEL)
    .addHelpText(
      'after',
      '\nExamples:\n  dkv models pull google/t5gemma-2-1b-1b@main\n  dkv models pull facebook/bart-large@refs/pr/4',
    )
    .action(async (model: string) => {
      if (!parseModelReference(model)) {
        throw new DkvError(
          'INPUT_INVALID',
          `"${model}" is no name on the hub; expected organisation/name or organisation/name@revision.`,
        );
      }
      const { directory, name } = await locate(model);
      const licence = await licenceOf(directory);
      process.stdout.write(`${name}\n${directory}\n${licence ? `licence: ${licence}\n` : ''}`);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('Every checkpoint of a supported family in the hub cache, and every compiled model.')
    .option('--known', 'checkpoints on the hub that this program reads instead, with size, licence and access', false)
    .option('--json', 'for machines', false)
    .addHelpText('after', '\nExamples:\n  dkv models list\n  dkv models list --known')
    .action(async ({ json, known }: { json: boolean; known: boolean }) => {
      if (known) {
        listKnown(json);
        return;
      }
      const checkpoints = await listCheckpoints();
      const compiled = await Promise.all((await listCompiled(defaultCacheDirectory())).map(describeCompiled));
      if (json) {
        printJson(modelListSchema, { checkpoints, compiled });
        return;
      }
      const [text, number] = [false, true].map((numeric) => (title: string) => ({ title, numeric })) as [
        (title: string) => Table['columns'][number],
        (title: string) => Table['columns'][number],
      ];
      process.stdout.write('Checkpoints\n');
      process.stdout.write(
        `${renderText({
          columns: [text('model'), text('commit'), number('weights'), number('on disk')],
          rows: checkpoints.map((c) => [
            c.name,
            c.commit?.slice(0, 12) ?? '–',
            millions(c.weights),
            shownBytes(c.sizeBytes),
          ]),
        })}\n\nCompiled\n`,
      );
      process.stdout.write(
        `${renderText({
          columns: [text('weights digest'), text('precision'), number('weights'), number('on disk')],
          rows: compiled.map((c) => [
            c.weightsDigest.slice(0, 16),
            c.precision,
            millions(c.weights),
            shownBytes(c.sizeBytes),
          ]),
        })}\n`,
      );
    });
}

function listKnown(json: boolean): void {
  const known = KNOWN_MODELS.map((model) => ({ ...model, sizeBytes: knownSizeBytes(model) }));
  if (json) {
    const wireNames: Readonly<Record<string, string>> = { tokenizerJson: 'tokenizer_json' };
    const listed = known.map(({ storedAs: _, ...model }) => ({
      ...model,
      unchecked: model.unchecked.map((fact) => wireNames[fact] ?? fact),
    }));
    printJson(knownModelsSchema, { known: listed });
    return;
  }
  const titles = ['model', 'family', 'weights', 'on disk', 'licence', 'token', 'safetensors', 'tokenizer.json'];
  const columns = titles.map((title) => ({ title, numeric: title === 'weights' || title === 'on disk' }));
  const rows = known.map((model) => {
    const { name, family, weights, sizeBytes, licence, gated, safetensors, tokenizerJson, unchecked } = model;
    const said = (fact: (typeof unchecked)[number], text: string) => `${text}${unchecked.includes(fact) ? ' (?)' : ''}`;
    return [
      name,
      family,
      millions(weights),
      sizeBytes === null ? '–' : gigabytes(sizeBytes),
      said('licence', licence),
      gated ? 'needed' : 'none',
      said('safetensors', safetensors),
      said('tokenizerJson', tokenizerJson ? 'yes' : 'no'),
    ];
  });
  process.stdout.write(`${renderText({ columns, rows })}

From model cards and listings of the hub; (?) is from memory. None of these weights could be run where this package was made.
Without a tokenizer.json or safetensors: docs/troubleshooting.md, "Weights as .bin, or no tokenizer.json".
`);
}

function infoCommand(): Command {
  return new Command('info')
    .description('Sizes, digest, licence, compiled forms and memory of one model.')
    .argument(...MODEL)
    .option('--json', 'for machines', false)
    .addHelpText('after', '\nExamples:\n  dkv models info tiny\n  dkv models info ./t5gemma-2-270m-270m')
    .action(async (model: string, { json }: { json: boolean }) => {
      const info = await describe(model);
      if (json) printJson(modelInfoSchema, info);
      else process.stdout.write(`${renderInfo(info)}\n`);
    });
}

function compileCommand(): Command {
  return new Command('compile')
    .description('Make the graphs and weights of a model now instead of at its first use.')
    .argument(...MODEL)
    .addOption(
      new Option('--precision <name>', 'precision of the weights (tf32 runs on those of float32)')
        .choices(WEIGHTS_PRECISIONS)
        .default('float32'),
    )
    .option('--ignore-drift', "take int8 even if this model's numbers are far from float32's", false)
    .addHelpText('after', '\nExamples:\n  dkv models compile google/t5gemma-2-4b-4b --precision bfloat16')
    .action(async (model: string, options: { precision: WeightsPrecision; ignoreDrift: boolean }) => {
      const signal = interruptSignal();
      const source = await locate(model);
      const progress = new LoadingProgress();
      let tokenizer: Tokenizer | undefined;
      try {
        const checkpoint = await openCheckpoint(source.directory);
        checkpoint.notices.forEach(progress.callbacks.onNotice);
        const tokenizerOf = async () => {
          tokenizer = await loadTokenizerOf(checkpoint);
          return tokenizer;
        };
        const loading = { ...options, ...progress.callbacks, signal };
        const compiled = await compileMeasured(source, checkpoint, tokenizerOf, loading);
        progress.end();
        if (compiled.drift) process.stderr.write(`drift: ${describeDrift(driftRecord(compiled.drift))}\n`);
        process.stdout.write(`${compiled.directory}\n`);
      } finally {
        progress.end();
        await tokenizer?.close();
      }
    });
}

function removeCommand(): Command {
  return new Command('rm')
    .description('Remove the compiled forms of a model; with --checkpoint also its download.')
    .argument(...MODEL)
    .option('--checkpoint', 'remove the download from the cache that Python shares, too', false)
    .addHelpText('after', '\nExamples:\n  dkv models rm google/t5gemma-2-270m-270m --checkpoint')
    .action(async (model: string, { checkpoint: alsoCheckpoint }: { checkpoint: boolean }) => {
      const reference = parseModelReference(model);
      if (alsoCheckpoint && !reference) {
        throw new DkvError(
          'INPUT_INVALID',
          `--checkpoint removes downloads; "${model}" is a folder of yours and stays.`,
        );
      }
      const { directory } = await locate(model, { offline: true });
      const checkpoint = await openCheckpoint(directory);
      for (const compiled of await compiledFoldersOf(checkpoint, defaultCacheDirectory())) {
        await rm(compiled, { recursive: true });
        process.stdout.write(`removed ${compiled}\n`);
      }
      if (!alsoCheckpoint || !reference) return;
      const { cacheDirectory } = hubSettings();
      const cache = new RepositoryCache(cacheDirectory, reference.repository);
      const shared = await sharedBlobsOf(cacheDirectory, cache.directory);
      await rm(cache.directory, { recursive: true });
      process.stdout.write(`removed ${cache.directory}\n`);
      for (const { file, sizeBytes } of await removeUnreferenced(cacheDirectory, shared)) {
        process.stdout.write(`removed ${file} (${gigabytes(sizeBytes)}), which no other download shares\n`);
      }
    });
}

async function locate(model: string, { offline = false } = {}) {
  const signal = interruptSignal();
  const progress = new LoadingProgress();
  const settings = hubSettings();
  try {
    const hub = { ...settings, offline: offline || settings.offline };
    return await findModel(model, { ...progress.callbacks, hub, signal });
  } finally {
    progress.end();
  }
}

async function listCheckpoints() {
  const found = [{ name: 'built-in', directory: BUILT_IN_MODEL, commit: undefined as string | undefined }];
  const caches = await listRepositories(hubSettings().cacheDirectory);
  for (const cache of caches) {
    for (const commit of await cache.commits()) {
      found.push({ name: cache.repository, directory: cache.snapshot(commit), commit });
    }
  }
  const described = found.map(async ({ name, directory, commit }) => {
    // Other architectures, and downloads that are not complete, are not for this program.
    const config = await readConfig(directory).catch(() => undefined);
    const checkpoint = config && (await openCheckpoint(directory).catch(() => undefined));
    if (!checkpoint) return [];
    return [{ name, commit, directory, weights: weightCount(checkpoint.config), sizeBytes: storedBytes(checkpoint) }];
  });
  return (await Promise.all(described)).flat();
}

async function describeCompiled({ directory, precision, weightsDigest, weights, tensors, drift }: CompiledForm) {
  const last = tensors.at(-1);
  const sizeBytes = last ? last.offset + last.sizeBytes : 0;
  return {
    directory,
    precision,
    weightsDigest,
    weights,
    sizeBytes,
    drift: drift ?? null,
  };
}

async function compiledFormsOf(checkpoint: Checkpoint): Promise<CompiledForm[]> {
  const cacheDirectory = defaultCacheDirectory();
  const digest = await cachedDigest(checkpoint, cacheDirectory);
  return (await listCompiled(cacheDirectory)).filter(({ weightsDigest }) => weightsDigest === digest);
}

async function describe(model: string) {
  const { directory, name } = await locate(model);
  const checkpoint = await openCheckpoint(directory);
  const { config } = checkpoint;
  const shape = shapeOf(config);
  const compiled = await Promise.all((await compiledFormsOf(checkpoint)).map(describeCompiled));
  const stored = [...new Set([...checkpoint.tensors.values()].map(({ type }) => type))];
  return {
    name,
    directory,
    licence: await licenceOf(directory),
    weights: weightCount(config),
    storedAs: stored,
    sizeBytes: storedBytes(checkpoint),
    weightsDigest: await cachedDigest(checkpoint, defaultCacheDirectory()),
    notices: checkpoint.notices,
    family: config.family,
    vocabulary: shape.vocabularySize,
    hiddenSize: shape.encoder.width,
    encoderLayers: shape.encoder.layers,
    decoderLayers: shape.decoder.layers,
    compiled,
    memory: Object.fromEntries(
      WEIGHTS_PRECISIONS.map((precision) => [
        precision,
        Math.round(memoryEstimate(config, precision, { tokens: DEFAULT_MAX_LENGTH })),
      ]),
    ),
    memoryAvailable: availableMemory(),
  };
}

function renderInfo(info: Awaited<ReturnType<typeof describe>>): string {
  const rows: [string, string][] = [
    ['model', info.name],
    ['folder', info.directory],
    ['licence', info.licence ?? 'not stated'],
    ['weights', `${millions(info.weights)} (${info.storedAs.join(', ')}, ${shownBytes(info.sizeBytes)})`],
    ['weights digest', info.weightsDigest],
    ['family', info.family],
    [
      'shape',
      `vocabulary ${info.vocabulary}, hidden ${info.hiddenSize}, ${info.encoderLayers} + ${info.decoderLayers} layers`,
    ],
    ...info.compiled.flatMap((c): [string, string][] => [
      [`compiled ${c.precision}`, `${shownBytes(c.sizeBytes)} in ${c.directory}`],
      ...(c.drift ? [[`drift of ${c.precision}`, describeDrift(driftRecord(c.drift))] as [string, string]] : []),
    ]),
    ...Object.entries(info.memory).map(([precision, bytes]): [string, string] => [
      `memory as ${precision}`,
      `about ${gigabytes(bytes)}${bytes > info.memoryAvailable ? ', more than is available' : ''}`,
    ]),
    ['memory available', gigabytes(info.memoryAvailable)],
    ...info.notices.map((notice): [string, string] => ['notice', notice]),
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, value]) => `${what.padEnd(width)}  ${value}`).join('\n');
}

/** The bytes of the text model's tensors in the checkpoint's files. */
function storedBytes({ tensors }: Checkpoint): number {
  return [...tensors.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** The licence that the model card names. */
async function licenceOf(directory: string): Promise<string | undefined> {
  const card = await readTextIfPresent(path.join(directory, 'README.md'));
  return /^---\n[\s\S]*?^license:\s*(.+?)\s*$/m.exec(card ?? '')?.[1];
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(1)} M`;
}
