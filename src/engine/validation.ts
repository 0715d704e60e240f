/** What the engine asks of its items. A wrong token id or range would be read out of bounds further in. */

import { DkvError } from '../base/errors.js';
import type { ModelConfig } from '../model/config.js';
import type { EncodeItem, GenerateItem, Memory, ProbeLayers, ScoreItem } from './engine.js';

export function checkEncodeItems(items: readonly EncodeItem[], config: ModelConfig): void {
  for (const [index, { tokenIds, positions, pairMask }] of items.entries()) {
    const where = `encode item ${index}`;
    const rows = tokenIds.length;
    if (rows === 0) throw invalid(`${where}: tokenIds is empty; expected at least one token.`);
    checkTokens(tokenIds, config, `${where}: tokenIds`);
    if (positions && positions.length !== rows) {
      throw invalid(`${where}: ${positions.length} positions for ${rows} tokens.`);
    }
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

export function checkScoreItems(items: readonly ScoreItem[], config: ModelConfig): void {
  for (const [index, { memory, prompt, target }] of items.entries()) {
    const where = `score item ${index}`;
    checkMemory(memory, config, where);
    checkTokens(prompt, config, `${where}: prompt`);
    if (target.length === 0) throw invalid(`${where}: target is empty; there is nothing to score.`);
    checkTokens(target, config, `${where}: target`);
  }
}

export function checkGenerateItems(items: readonly GenerateItem[], config: ModelConfig): void {
  for (const [index, { memory, prompt, maxTokens, sampling }] of items.entries()) {
    const where = `generate item ${index}`;
    checkMemory(memory, config, where);
    checkTokens(prompt, config, `${where}: prompt`);
    if (!Number.isInteger(maxTokens) || maxTokens < 1) {
      throw invalid(`${where}: maxTokens is ${maxTokens}; expected a whole number of at least 1.`);
    }
    if (!sampling) continue;
    if (!(sampling.temperature >= 0))
      throw invalid(`${where}: temperature is ${sampling.temperature}; expected 0 or more.`);
    if (!(sampling.topP > 0 && sampling.topP <= 1)) {
      throw invalid(`${where}: topP is ${sampling.topP}; expected a number above 0 and up to 1.`);
    }
  }
}

export function checkProbeLayers({ hidden, attention }: ProbeLayers, config: ModelConfig): void {
  const layers = config.encoder.layerTypes.length;
  for (const layer of [...hidden, ...attention]) {
    if (Number.isInteger(layer) && layer >= 0 && layer < layers) continue;
    throw invalid(`Encoder layer ${layer} was asked for; this model has layers 0 to ${layers - 1}.`);
  }
}

function checkMemory(memory: Memory, { hiddenSize }: ModelConfig, where: string): void {
  for (const { states, start, end } of memory) {
    if (states.width !== hiddenSize || states.data.length !== states.rows * states.width) {
      throw invalid(
        `${where}: states are ${states.rows} x ${states.width} in ${states.data.length} numbers; this model's rows have ${hiddenSize}.`,
      );
    }
    if (!(start >= 0 && start <= end && end <= states.rows)) {
      throw invalid(`${where}: rows ${start} to ${end} are asked for, the states have ${states.rows}.`);
    }
  }
}

function checkTokens(tokenIds: Int32Array, { vocabularySize }: ModelConfig, where: string): void {
  for (const id of tokenIds) {
    if (id >= 0 && id < vocabularySize) continue;
    throw invalid(`${where} holds ${id}; this model's vocabulary has ids 0 to ${vocabularySize - 1}.`);
  }
}

function invalid(message: string): DkvError {
  return new DkvError('INPUT_INVALID', message);
}
