/** The experiments that there are, by the name they are run under. */
import type { Experiment } from '../../runs/schema/experiment.js';
import { amplification } from './amplification.js';
import { anotherDataset } from './another-dataset.js';
import { factoidAnswers } from './factoid-answers.js';
import { fullView } from './full-view.js';
import { gainDecomposition } from './gain-decomposition.js';
import { hiddenBos } from './hidden-bos.js';
import type { ExperimentId } from './ids.js';
import { insideTheEncoder } from './inside-the-encoder.js';
import { length } from './length.js';
import { lengthExtended } from './length-extended.js';
import { otherShopRanking } from './other-shop-ranking.js';
import { passageRanking } from './passage-ranking.js';
import { positionsOrContent } from './positions-or-content.js';
import { prefixContent } from './prefix-content.js';
import { productRanking } from './product-ranking.js';
import { queryInDecoder } from './query-in-decoder.js';
import { queryInDecoderByLength } from './query-in-decoder-by-length.js';
import { queryInDecoderBySize } from './query-in-decoder-by-size.js';
import { queryInDecoderElsewhere } from './query-in-decoder-elsewhere.js';
import { queryInDecoderOtherModels } from './query-in-decoder-other-models.js';
import { surrogateSweep } from './surrogate-sweep.js';
import { truncation } from './truncation.js';
import { writtenSurrogates } from './written-surrogates.js';

const BY_ID = {
  exp33b: fullView,
  exp01: truncation,
  exp02: surrogateSweep,
  exp2b: gainDecomposition,
  exp03: length,
  exp03b: lengthExtended,
  exp3d: anotherDataset,
  exp3e: insideTheEncoder,
  exp3f: amplification,
  exp04a: passageRanking,
  exp04b: productRanking,
  exp04c: otherShopRanking,
  exp05: writtenSurrogates,
  exp06: factoidAnswers,
  exp07: positionsOrContent,
  bos: hiddenBos,
  'v4-01': queryInDecoder,
  'v4-02': queryInDecoderByLength,
  'v4-03': queryInDecoderElsewhere,
  'v4-04': prefixContent,
  'v4-09': queryInDecoderOtherModels,
  'v4-10': queryInDecoderBySize,
} satisfies Record<ExperimentId, Experiment>;

export const EXPERIMENTS: Readonly<Record<string, Experiment>> = BY_ID;
