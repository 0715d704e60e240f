/** What `dkv rank` and `dkv evaluate` have in common: a store, queries, candidates, judgements. */
import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type QueryRow, readQueries } from '../datasets/queries.js';
import { openTable } from '../datasets/table.js';
import { DkvError } from '../errors.js';
import { type Bm25, bm25Of } from '../serving/bm25.js';
import { OBJECTIVES, type Objective } from '../serving/calibration.js';
import { CANDIDATES, candidatesFrom, readInput } from '../serving/candidates.js';
import type { QueryToRank } from '../serving/rank.js';
import { openStore } from '../store/open.js';
import type { Store } from '../store.js';
import { parseQrels, type Qrels } from '../trec.js';
import { addEngineOptions, type EngineOptions } from './model-options.js';
import { Progress } from './terminal.js';

export interface RankingOptions extends EngineOptions {
  readonly store: readonly string[];
  readonly queries: string;
  readonly candidates: string;
  readonly qrels?: string;
  readonly objective: Objective;
  readonly prior: boolean;
  readonly measures: readonly string[];
  readonly json: boolean;
}
