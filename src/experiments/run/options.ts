/** What a run is asked for, and what it tells while it goes on. */
import type { TextSources } from '../../priming/prepare.js';
import type { LockedPlan } from '../../runs/schema/locked-plan.js';
import type { StudyRecord } from '../../runs/schema/record.js';
import type { Summary } from '../../runs/schema/summary.js';

export interface RunOptions {
  /** The run folder; made if it is not there. */
  readonly directory: string;
  /** Go on with what the folder holds; without it a folder that holds a run is refused. */
  readonly resume: boolean;
  /** Rows that the encoder may read. */
  readonly maxTokens: number;
  /** Go on although the model answers too many of the first samples without any help. */
  readonly ignoreCeiling?: boolean;
  /** Go on although the model hardly ranks the first pools better than chance. */
  readonly ignoreFloor?: boolean;
  /** What the run was to be, from a file that `dkv plan` wrote; the run records it and names what is not as planned. */
  readonly plan?: LockedPlan;
  /** Keep the samples' texts out of the run folder. */
  readonly noText?: boolean;
  /** Compress the trials when the run has ended. Those of a run that went on from compressed ones are, in any case. */
  readonly compress?: boolean;
  /** The file that the experiment was read from, for the run's record. */
  readonly study?: StudyRecord;
  /** Who writes surrogates that a model writes. */
  readonly sources?: TextSources;
  /**
   * Which language model that is: part of the configuration where a surrogate needs it. `self` where it is the model at hand, which is asked nothing: conditions that
   * differ by a prompt alone are left out then.
   */
  readonly writer?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Called with what holds the thread for seconds, the statistics; everything is in the folder then. It has to do it. */
  readonly whileBlocked?: (work: () => Summary) => Summary;
  /** Documents that surrogates have been written for. */
  readonly onWriting?: (done: number, total: number) => void;
  /** Called with what the user should know though it is no error: conditions that are left out. */
  readonly onNotice?: (notice: string) => void;
}

export interface RunProgress {
  readonly doneSamples: number;
  readonly totalSamples: number;
  /** Of `doneSamples`, those that were there before this call. */
  readonly resumedSamples: number;
}
