/**
 * What a queue hands its batches to: an executor, in this thread or another. A runner works on its batches in their order and plans nothing.
 */
import type { DkvError } from '../base/errors.js';
import type { Shape } from './batching.js';
import type {
  ChosenTokens,
  EncodeItem,
  EngineInfo,
  GenerateItem,
  LogitsItem,
  Memory,
  ProbeLayers,
  ScoreItem,
} from './engine.js';

/** An item whose states are at hand. */
export type WithMemory<Item> = Omit<Item, 'memory'> & { readonly memory: Memory };

/** States as bit patterns of float16, on their way from what computes to whoever asked for them so. */
export interface HalfStates {
  readonly rows: number;
  readonly width: number;
  /** The bit patterns of the rows, [rows * width]. */
  readonly halves: Uint16Array;
}

/** A batch: items that are sound and of one padded shape. */
export type Work = Shape &
  (
    | {
        readonly method: 'encode';
        readonly items: readonly EncodeItem[];
        /** True where results are HalfStates. */
        readonly asHalves?: boolean;
      }
    | { readonly method: 'score'; readonly items: readonly WithMemory<ScoreItem>[] }
    | { readonly method: 'scoreTempered'; readonly items: readonly WithMemory<ScoreItem>[] }
    | { readonly method: 'logits'; readonly items: readonly WithMemory<LogitsItem>[] }
    | {
        readonly method: 'generate';
        readonly items: readonly WithMemory<GenerateItem>[];
        /** The places in the batch of the items whose tokens are told as they are chosen; none by default. */
        readonly told?: readonly number[];
      }
    | { readonly method: 'probe'; readonly items: readonly EncodeItem[]; readonly layers: ProbeLayers }
  );

export type WorkOf<Method extends Work['method']> = Extract<Work, { readonly method: Method }>;

/** The methods of which a batch is one run of a graph. */
const FED_METHODS = ['encode', 'score', 'scoreTempered', 'logits'] as const;
export type FedMethod = (typeof FED_METHODS)[number];

export function isFed(of: { readonly method: Work['method'] }): of is WorkOf<FedMethod> {
  return (FED_METHODS as readonly string[]).includes(of.method);
}

export interface Done {
  /** For each item what the method gives, or the DkvError NUMBERS_NOT_FINITE that says why there is none. */
  readonly results: readonly unknown[];
  /** The milliseconds of computing, without the loading of graphs. */
  readonly computedMs: number;
}

/** Called with tokens that were just chosen, by the places of their items in the batch. */
export type TellTokens = (chosen: readonly ChosenTokens[]) => void;

export interface Runner {
  readonly info: EngineInfo;
  /** The reason why the runner runs nothing any more; undefined while it does. */
  readonly ended: DkvError | undefined;
  /**
   * The number of batches of one graph run (`isFed`) that it takes at a time: while one is computed the tensors of the next are made. 1 by default.
   */
  readonly depth?: number;
  /**
   * @param signal stops a generation between two runs of its graph
   * @param onTokens called for the items that are to be told, before the batch is done
   * @throws DkvError ENGINE_FAILED, CANCELLED
   */
  run(work: Work, signal: AbortSignal, onTokens?: TellTokens): Promise<Done>;
  /** Ends the runner after the batches under way. */
  close(): Promise<void>;
}
