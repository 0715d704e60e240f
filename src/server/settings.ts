/**
 * What a server is told: one schema for the file of settings (YAML, snake_case) and for programs (camelCase). Flags of `dkv serve` are laid over the file's.
 * It opens and starts nothing.
 */
import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { fileError } from '../base/files.js';
import { parse } from '../base/parse.js';
import { DEVICES } from '../engine/engine.js';
import { PRECISIONS } from '../model/graph/layout.js';
import { visibilitySchema } from '../priming/input.js';
import { STATES_PRECISIONS } from '../store/store.js';
import { wireObject } from '../wire/case.js';
import { decisionSettingsSchema } from './decisions.js';
import { experimentSettingsSchema, shadowSettingsSchema } from './experiment.js';

const count = z.int().positive();

const sections = {
  model: wireObject({
    name: z.string().min(1).optional().describe('A folder, a repository on the hub, or `tiny`; the built-in one.'),
    precision: z.enum(PRECISIONS).default('float32').describe('Precision of the weights.'),
    device: z.enum(DEVICES).default('cpu').describe('Where it computes.'),
    workers: count.default(1).describe('Engines side by side.'),
    threads: count.optional().describe('Threads of each worker.'),
    batchMs: z.number().positive().default(50).describe('How long a batch may take, in milliseconds.'),
    queueItems: count.default(10_000).describe('Items that may wait for the engine; then 429.'),
    ignoreDrift: z.boolean().default(false).describe('Serve numbers that are far from float32’s all the same.'),
  }),
  storage: wireObject({
    timeoutMs: z
      .number()
      .positive()
      .default(10_000)
      .describe('Longest time of a request to Redis or S3, repeated ones included.'),
    onFailure: z
      .enum(['error', 'fallback'])
      .default('error')
      .describe('Of tiers: what a tier that fails means, an error, or answers from the others.'),
  }),
  listen: wireObject({
    host: z.string().min(1).default('127.0.0.1').describe('The address to listen at.'),
    port: z.int().min(0).max(65_535).default(8080).describe('The port; 0 for any that is free.'),
    tlsCert: z.string().optional().describe('File of the certificate chain, PEM.'),
    tlsKey: z.string().optional().describe('File of its private key, PEM.'),
    open: z.boolean().default(false).describe('Listen beyond this machine without keys.'),
    openMetrics: z.boolean().default(false).describe('Answer /metrics without a key.'),
  }),
  limits: wireObject({
    bodyBytes: count.default(2_000_000).describe('Largest body of a request.'),
    documents: count.default(1000).describe('Most documents or items of a request.'),
    maxTokens: count.default(2048).describe('Tokens that the encoder reads; longer texts are cut at their end.'),
    decoderTokens: count
      .default(2048)
      .describe('Most tokens that the decoder reads and writes for one item: query, prompt, target, completion.'),
    generatedTokens: count.default(1024).describe('Most tokens that a completion may ask for.'),
    requests: count.default(512).describe('Most requests in flight; then 429.'),
    headSeconds: z.number().positive().default(10).describe('How long the head of a request may take.'),
    connections: count.default(4096).describe('Most open connections.'),
    pairsPerMinute: count.optional().describe('Most pairs of query and document of a key in a minute.'),
    tokensPerMinute: count.optional().describe('Most tokens of a key in a minute.'),
  }),
  deadline: wireObject({
    ms: z.number().positive().optional().describe('Deadline of requests that name none.'),
    bm25: z.boolean().default(false).describe('Index stored texts at the start, for the fallback `bm25`.'),
  }),
  priming: wireObject({
    surrogates: z
      .array(z.string())
      .readonly()
      .optional()
      .describe('What documents are primed with; what those in the store were, so that none loses a variant.'),
    bare: z.boolean().default(true).describe('Also keep each document alone.'),
    statesPrecision: z.enum(STATES_PRECISIONS).optional().describe('Precision of stored states; that of the store.'),
    visibility: visibilitySchema.optional().describe('Which rows the decoder sees; as in the store.'),
    keepText: z.boolean().default(true).describe('Keep the texts of documents.'),
  }),
  housekeeping: wireObject({
    gcHours: z.number().positive().max(500).optional().describe('Collect what nothing points to each so many hours.'),
    collectHours: z.number().positive().max(500).optional().describe('Collect old generations each so many hours.'),
    aliasSeconds: z.number().positive().default(2).describe('How often the alias is looked at.'),
  }),
  telemetry: wireObject({
    endpoint: z
      .url()
      .optional()
      .describe('Where spans of requests go by OpenTelemetry (OTLP over HTTP); that of OTEL_EXPORTER_OTLP_ENDPOINT.'),
  }),
  drain: wireObject({
    waitSeconds: z
      .number()
      .nonnegative()
      .default(0)
      .describe('Go on answering for so long after SIGTERM, while /ready says no.'),
    seconds: z.number().positive().default(25).describe('Then end what is in flight within so long.'),
  }),
};

/** Sections may be left out, and so may every field of theirs that has a default. */
export const settingsSchema = wireObject({
  store: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1).readonly()])
    .describe('The store, its tiers, or a generation of a catalogue by an alias.'),
  keys: z.string().optional().describe('File of keys (`dkv keys`); without it everybody may do everything.'),
  model: sections.model.prefault({}),
  storage: sections.storage.prefault({}),
  listen: sections.listen.prefault({}),
  limits: sections.limits.prefault({}),
  deadline: sections.deadline.prefault({}),
  priming: sections.priming.prefault({}),
  housekeeping: sections.housekeeping.prefault({}),
  telemetry: sections.telemetry.prefault({}),
  drain: sections.drain.prefault({}),
  decisions: decisionSettingsSchema.optional().describe('The decision log; none without this section.'),
  experiment: experimentSettingsSchema.optional().describe('Arms that units are dealt to.'),
  shadow: shadowSettingsSchema.optional().describe('Another variant that ranks what is answered, for the log alone.'),
});

export type ServerSettings = z.output<typeof settingsSchema>;

/** A file's settings as they are written, or flags in the same form: sections with some of their fields. */
export type Layer = Readonly<Record<string, unknown>>;

/** Reads a file of settings. @throws DkvError INPUT_INVALID, FILES_UNUSABLE */
export async function readSettingsFile(file: string): Promise<Layer> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError(error, file);
  });
  try {
    const value: unknown = parseYaml(text) ?? {};
    if (typeof value === 'object' && !Array.isArray(value)) return value as Layer;
  } catch (error) {
    throw new DkvError('INPUT_INVALID', `${file}: ${messageOf(error)}`);
  }
  throw new DkvError('INPUT_INVALID', `${file}: expected sections such as "listen:", found something else.`);
}

/**
 * Lays settings over each other, the later ones over the earlier ones, field by field.
 * @param where what they are, for messages
 * @throws DkvError INPUT_INVALID
 */
export function settingsOf(layers: readonly Layer[], where = 'Settings of the server'): ServerSettings {
  const merged: Record<string, unknown> = {};
  for (const [name, value] of layers.flatMap((layer) => Object.entries(layer))) {
    const before = merged[name];
    merged[name] = isSection(before) && isSection(value) ? { ...before, ...value } : value;
  }
  const settings = parse(settingsSchema, merged, 'INPUT_INVALID', where, 'docs/serving.md lists them.');
  const unlogged = settings.experiment ? 'experiment' : settings.shadow ? 'shadow' : undefined;
  if (unlogged === undefined || settings.decisions) return settings;
  throw new DkvError(
    'INPUT_INVALID',
    `${where}: ${unlogged}: without the section "decisions" nobody would learn of it. Name the log's folder there: decisions: {folder: ...}.`,
  );
}

function isSection(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
