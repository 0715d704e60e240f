/**
 * A batch before and after its graph: items to the tensors that it is given, and the tensors that it gives to results. It has no part in what computes, so
 * that it may be done in another thread while the graph runs on another batch.
 */
import type { CompiledModel } from '../model/compiled.js';
import { STATES_FLOAT16 } from '../model/graph/encoder.js';
import { TEMPERED_ROWS } from '../model/graph/head.js';
import { TOKEN_ROWS } from '../model/graph/token-rows.js';
import { INVERSE_TEMPERATURES } from '../stats/inverse-temperatures.js';
import type { Shape } from './batching.js';
import type { Device, EncodeItem, EngineInfo, Memory } from './engine.js';
import {
  halfStatesProblem,
  memoryProblems,
  numbersProblem,
  Problem,
  roundedStates,
  statesProblem,
} from './problems.js';
import type { FedMethod, Work, WorkOf } from './runner.js';
import type { Feeds } from './runtime.js';
import { cutHalfRows, cutRows, distinctMemories, encoderFeeds, int64, memoryFeeds } from './tensors.js';
import { TokenRows } from './token-rows.js';

/** The tensors that a graph is run with. */
export interface Feeding {
  readonly feeds: Feeds;
  /** The names of the graph's outputs. */
  readonly outputs: readonly string[];
}

/** A batch whose tensors are made. */
export interface FedBatch extends Feeding {
  /**
   * Makes results from the graph's outputs: for each item what the method gives, or the DkvError NUMBERS_NOT_FINITE that says why there is none.
   */
  results(outputs: Feeds): readonly unknown[];
}

export interface TensorsOptions {
  /** The device that the graphs are built for. */
  readonly device: Device;
  /** True where the encoder's graph is given its tokens' rows. */
  readonly givenRows: boolean;
  /** Give states in memory that threads can share. */
  readonly sharedMemory: boolean;
}

export class BatchTensors {
  readonly #info: EngineInfo;
  readonly #device: Device;
  readonly #sharedMemory: boolean;
  readonly #tokenRows: TokenRows | undefined;

  /** Makes the tensors of one model's batches. The constructor reads nothing yet. */
  constructor(model: CompiledModel, info: EngineInfo, { device, givenRows, sharedMemory }: TensorsOptions) {
    this.#info = info;
    this.#device = device;
    this.#sharedMemory = sharedMemory;
    this.#tokenRows = givenRows ? new TokenRows(model) : undefined;
  }

  /** @throws DkvError CACHE_DAMAGED */
  of(work: Extract<Work, { readonly method: FedMethod }>): FedBatch {
    const { feeds, outputs, results } = this.#of(work);
    return {
      feeds,
      outputs,
      results: (given) => results(given).map((own) => (own instanceof Problem ? own.errorOf(this.#info) : own)),
    };
  }

  #of(work: Extract<Work, { readonly method: FedMethod }>): FedBatch {
    switch (work.method) {
      case 'encode':
        return this.#encode(work);
      case 'score':
      case 'scoreTempered':
        return this.#score(work);
      case 'logits':
        return this.#logits(work);
    }
  }

  /** `token_ids`, `positions` and masks of the encoder, and the rows of its tokens where it is brought these. */
  encoderFeeds(items: readonly EncodeItem[], rows: number): Feeds {
    const feeds = encoderFeeds(items, rows);
    return this.#tokenRows ? { ...feeds, [TOKEN_ROWS]: this.#tokenRows.feed(items, rows) } : feeds;
  }

  close(): void {
    this.#tokenRows?.close();
  }

  #encode({ items, rows, asHalves }: WorkOf<'encode'>): FedBatch {
    const feeds = this.encoderFeeds(items, rows);
    const lengths = items.map(({ tokenIds }) => tokenIds.length);
    const cut = (outputs: Feeds) =>
      cutRows(outputs.states!, lengths, this.#sharedMemory).map((of) => statesProblem(of) ?? of);
    if (!asHalves) return { feeds, outputs: ['states'], results: cut };
    // CUDA rounds as we do; how WebGPU rounds is left to its drivers.
    if (this.#device === 'cuda') {
      return {
        feeds,
        outputs: [STATES_FLOAT16],
        results: (outputs) => cutHalfRows(outputs[STATES_FLOAT16]!, lengths).map((of) => halfStatesProblem(of) ?? of),
      };
    }
    return {
      feeds,
      outputs: ['states'],
      results: (outputs) => cut(outputs).map((of) => (of instanceof Problem ? of : roundedStates(of))),
    };
  }

  #score(work: WorkOf<'score' | 'scoreTempered'>): FedBatch {
    const read = work.items.map(({ memory, prompt, target }) => ({
      memory,
      input: [...prompt, ...target.subarray(0, -1)],
      scored: Array.from(target, (_, i) => prompt.length + i),
      targets: target,
    }));
    const what = "The NLLs of the target's tokens";
    if (work.method === 'score') return this.#decode({ name: 'nll', what }, read, work);
    const form = { each: INVERSE_TEMPERATURES.length, multiple: TEMPERED_ROWS };
    return this.#decode({ name: 'nlls', what, ...form }, read, work);
  }

  #logits(work: WorkOf<'logits'>): FedBatch {
    const read = work.items.map(({ memory, prompt, tokens }) => ({
      memory,
      input: [...prompt],
      scored: Array.from(tokens, () => prompt.length),
      targets: tokens,
    }));
    return this.#decode({ name: 'logit', what: 'The logits of the tokens that were asked for' }, read, work);
  }

  /** Feeds a decoder's graph. The results are, for each item, the numbers of each of its targets. */
  #decode(
    { name, what, each = 1, multiple = 1 }: DecoderOutput,
    items: readonly DecoderRead[],
    { rows, memoryRows: stateRows }: Shape,
  ): FedBatch {
    const { shape } = this.#info;
    const tokenIds: number[] = [];
    const scored: number[] = [];
    const targets: number[] = [];
    for (const [b, { input, scored: own, targets: ownTargets }] of items.entries()) {
      tokenIds.push(shape.decoderStartTokenId);
      for (let i = 1; i < rows; i++) tokenIds.push(input[i - 1] ?? shape.padTokenId);
      for (const row of own) scored.push(b * rows + row);
      targets.push(...ownTargets);
    }
    // The first row and the first token again: their numbers are nobody's.
    for (; scored.length % multiple > 0; targets.push(0)) scored.push(0);
    const { distinct, which } = distinctMemories(items.map(({ memory }) => memory));
    const feeds = {
      token_ids: int64(tokenIds, [items.length, rows]),
      memory: int64(which, [items.length]),
      ...memoryFeeds(distinct, stateRows, shape.encoder.width),
      scored: int64(scored, [scored.length]),
      targets: int64(targets, [targets.length]),
    };
    const results = (outputs: Feeds) => {
      const values = outputs[name]!.data as Float32Array;
      const unsound = memoryProblems(distinct);
      let end = 0;
      return items.map((item, i) => {
        const start = end;
        end += each * item.targets.length;
        const own = values.slice(start, end);
        return unsound[which[i]!] ?? numbersProblem(own, what) ?? own;
      });
    };
    return { feeds, outputs: [name], results };
  }
}

/** The output of a graph for the rows that are looked at. */
interface DecoderOutput {
  readonly name: string;
  /** What the numbers are, for messages. */
  readonly what: string;
  /** The count of numbers for each row; 1 by default. */
  readonly each?: number;
  /** A number that the count of rows has to be a multiple of; 1 by default. */
  readonly multiple?: number;
}

/** What the decoder reads for an item after its start token, and which tokens are looked at in which rows. */
interface DecoderRead {
  readonly memory: Memory;
  readonly input: readonly number[];
  readonly scored: readonly number[];
  readonly targets: Int32Array;
}
