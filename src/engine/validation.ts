/** What the engine asks of its items. A wrong token id or range would be read out of bounds further in. */

import { DkvError } from '../base/errors.js';
import type { ModelShape, SideShape } from '../model/families/family.js';
import {
  type EncodeItem,
  type GenerateItem,
  type LogitsItem,
  type Memory,
  type NamedStates,
  PRIORITIES,
  type ProbeLayers,
  type RequestOptions,
  type ScoreItem,
  type States,
} from './engine.js';

export function checkEncodeItems(items: readonly EncodeItem[], shape: ModelShape): void {
  for (const [index, { tokenIds, positions, pairMask }] of items.entries()) {
    const where = `encode item ${index}`;
    const rows = tokenIds.length;
    if (rows === 0) throw invalid(`${where}: tokenIds is empty; expected at least one token.`);
    checkTokens(tokenIds, shape, `${where}: tokenIds`);
    checkRows(rows, shape.encoder, where);
    if (positions && positions.length !== rows) {
      throw invalid(`${where}: ${positions.length} positions for ${rows} tokens.`);
    }
    if (positions) checkPositions(positions, shape.encoder, where);
    if (!pairMask) continue;
    if (pairMask.length !== rows * rows) {
      throw invalid(`${where}: pairMask has ${pairMask.length} entries, expected ${rows} x ${rows}.`);
    }
    for (let row = 0; row < rows; row++) {
      if (!pairMask.subarray(row * rows, (row + 1) * rows).includes(1)) {
        throw invalid(`${where}: row ${row} of pairMask sees nothing; attention over nothing is undefined.`);
      }
    }
  }
}

export function checkScoreItems(items: readonly ScoreItem[], shape: ModelShape): void {
  for (const [index, { memory, prompt, target }] of items.entries()) {
    const where = `score item ${index}`;
    checkMemory(memory, shape, where);
    checkTokens(prompt, shape, `${where}: prompt`);
    if (target.length === 0) throw invalid(`${where}: target is empty; there is nothing to score.`);
    checkTokens(target, shape, `${where}: target`);
    checkRows(prompt.length + target.length, shape.decoder, where);
  }
}

export function checkLogitsItems(items: readonly LogitsItem[], shape: ModelShape): void {
  for (const [index, { memory, prompt, tokens }] of items.entries()) {
    const where = `logits item ${index}`;
    checkMemory(memory, shape, where);
    checkTokens(prompt, shape, `${where}: prompt`);
    if (tokens.length === 0) throw invalid(`${where}: tokens is empty; there is nothing to look at.`);
    checkTokens(tokens, shape, `${where}: tokens`);
    checkRows(1 + prompt.length, shape.decoder, where);
  }
}

export function checkGenerateItems(items: readonly GenerateItem[], shape: ModelShape): void {
  for (const [index, { memory, prompt, maxTokens, sampling }] of items.entries()) {
    const where = `generate item ${index}`;
    checkMemory(memory, shape, where);
    checkTokens(prompt, shape, `${where}: prompt`);
    if (!Number.isInteger(maxTokens) || maxTokens < 1) {
      throw invalid(`${where}: maxTokens is ${maxTokens}; expected a whole number of at least 1.`);
    }
    checkRows(prompt.length + maxTokens, shape.decoder, where);
    if (!sampling) continue;
    if (!(sampling.temperature >= 0))
      throw invalid(`${where}: temperature is ${sampling.temperature}; expected 0 or more.`);
    if (!(sampling.topP > 0 && sampling.topP <= 1)) {
      throw invalid(`${where}: topP is ${sampling.topP}; expected a number above 0 and up to 1.`);
    }
  }
}

export function checkProbeLayers({ hidden, attention }: ProbeLayers, shape: ModelShape): void {
  const layers = shape.encoder.layers;
  for (const layer of [...hidden, ...attention]) {
    if (Number.isInteger(layer) && layer >= 0 && layer < layers) continue;
    throw invalid(`Encoder layer ${layer} was asked for; this model has layers 0 to ${layers - 1}.`);
  }
}

export function checkRequestOptions({
  priority,
  deadlineMs = 1,
  dropLate = false,
  tokenisingMs = 0,
}: Pick<RequestOptions, 'priority' | 'deadlineMs' | 'dropLate' | 'tokenisingMs'>): void {
  if (priority !== undefined && !PRIORITIES.includes(priority)) {
    throw invalid(`priority is ${JSON.stringify(priority)}; expected ${PRIORITIES.join(' or ')}.`);
  }
  if (!(Number.isFinite(deadlineMs) && deadlineMs > 0)) {
    throw invalid(`deadlineMs is ${deadlineMs}; expected milliseconds above 0, and none for no deadline.`);
  }
  if (typeof dropLate !== 'boolean') throw invalid(`dropLate is ${JSON.stringify(dropLate)}; expected true or false.`);
  if (!(tokenisingMs >= 0)) throw invalid(`tokenisingMs is ${tokenisingMs}; expected milliseconds from 0.`);
}

/** Checks the options of a queue, before anything is started for it. */
export function checkQueueOptions({
  waitMs = 0,
  batchMs = 1,
  queueItems = 1,
}: {
  readonly waitMs?: number | undefined;
  readonly batchMs?: number | undefined;
  readonly queueItems?: number | undefined;
}): void {
  if (!(waitMs >= 0)) throw invalid(`waitMs is ${waitMs}; expected milliseconds from 0.`);
  if (!(batchMs > 0)) throw invalid(`batchMs is ${batchMs}; expected milliseconds above 0.`);
  if (!(queueItems >= 1)) throw invalid(`queueItems is ${queueItems}; expected at least 1.`);
}

/** The problem of states that were found by their name. */
export function statesProblem(
  { rows, width, data }: States,
  { encoder }: ModelShape,
  key: string,
): DkvError | undefined {
  if (width === encoder.width && data.length === rows * width) return undefined;
  return new DkvError(
    'STORE_MISMATCH',
    `The states under ${key} are ${rows} x ${width} in ${data.length} numbers; this model's rows have ${encoder.width}.`,
  );
}

/** Names come from callers, and reads are shared: one that is none must not reach the source. @throws DkvError INPUT_INVALID */
export function checkNamedStates({ source, key, fingerprints }: NamedStates, where: string): void {
  const problem =
    typeof source?.statesOf !== 'function'
      ? 'source has no function statesOf; expected a store, or an object like one'
      : typeof key !== 'string'
        ? `key is ${typeof key}; expected a string`
        : !Array.isArray(fingerprints) || fingerprints.some((own) => typeof own !== 'string')
          ? "fingerprints are no array of strings; expected the model's"
          : undefined;
  if (problem) throw invalid(`${where}: of the named states, ${problem}.`);
}

/** Checks a memory. Nothing is known yet of states that are named. */
function checkMemory(memory: Memory | NamedStates, { encoder }: ModelShape, where: string): void {
  if ('source' in memory) {
    checkNamedStates(memory, where);
    return;
  }
  for (const { states, start, end } of memory) {
    if (states.width !== encoder.width || states.data.length !== states.rows * states.width) {
      throw invalid(
        `${where}: states are ${states.rows} x ${states.width} in ${states.data.length} numbers; this model's rows have ${encoder.width}.`,
      );
    }
    if (!(start >= 0 && start <= end && end <= states.rows)) {
      throw invalid(`${where}: rows ${start} to ${end} are asked for, the states have ${states.rows}.`);
    }
  }
}

/** Checks the number of rows for models with a limited number of positions. */
function checkRows(rows: number, { mostRows }: SideShape, where: string): void {
  if (mostRows === null || rows <= mostRows) return;
  throw new DkvError('INPUT_TOO_LONG', `${where}: ${rows} rows; this model has positions for ${mostRows}.`);
}

/** Checks given positions for the same models, since they may lie beyond the number of rows. */
function checkPositions(positions: Int32Array, { mostRows }: SideShape, where: string): void {
  if (mostRows === null) return;
  const wrong = positions.find((position) => position < 0 || position >= mostRows);
  if (wrong === undefined) return;
  throw new DkvError('INPUT_TOO_LONG', `${where}: position ${wrong}; this model has positions 0 to ${mostRows - 1}.`);
}

function checkTokens(tokenIds: Int32Array, { vocabularySize }: ModelShape, where: string): void {
  for (const id of tokenIds) {
    if (id >= 0 && id < vocabularySize) continue;
    throw invalid(`${where} holds ${id}; this model's vocabulary has ids 0 to ${vocabularySize - 1}.`);
  }
}

function invalid(message: string): DkvError {
  return new DkvError('INPUT_INVALID', message);
}
