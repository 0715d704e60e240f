/** The experiments that there are, by the name they are run under. */
import { exp01 } from './exp01.js';
import type { Experiment } from './experiment.js';

export const EXPERIMENTS: Readonly<Record<string, Experiment>> = { exp01 };
