/** The experiments that there are, by the name they are run under. */
import { bos } from './bos.js';
import { exp2b } from './exp2b.js';
import { exp3d } from './exp3d.js';
import { exp3e } from './exp3e.js';
import { exp3f } from './exp3f.js';
import { exp01 } from './exp01.js';
import { exp02 } from './exp02.js';
import { exp03 } from './exp03.js';
import { exp03b } from './exp03b.js';
import { exp04a } from './exp04a.js';
import { exp04b } from './exp04b.js';
import { exp04c } from './exp04c.js';
import { exp05 } from './exp05.js';
import { exp06 } from './exp06.js';
import { exp07 } from './exp07.js';
import { exp33b } from './exp33b.js';
import type { Experiment } from './experiment.js';
import type { ExperimentId } from './ids.js';
import { v401, v402, v403 } from './v4.js';
import { v404 } from './v404.js';

const BY_ID = {
  exp33b,
  exp01,
  exp02,
  exp2b,
  exp03,
  exp03b,
  exp3d,
  exp3e,
  exp3f,
  exp04a,
  exp04b,
  exp04c,
  exp05,
  exp06,
  exp07,
  bos,
  'v4-01': v401,
  'v4-02': v402,
  'v4-03': v403,
  'v4-04': v404,
} satisfies Record<ExperimentId, Experiment>;

export const EXPERIMENTS: Readonly<Record<string, Experiment>> = BY_ID;
