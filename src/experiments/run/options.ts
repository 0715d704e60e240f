/** What a run is asked for, and what it tells while it goes on. */
import type { TextSources } from '../../priming/prepare.js';
import type { LockedPlan } from '../../runs/schema/locked-plan.js';
import type { AskedRecord, StudyRecord } from '../../runs/schema/record.js';
import type { Summary } from '../../runs/schema/summary.js';

export interface RunOptions {
  /** The run folder. It is made if it does not exist. */
  readonly directory: string;
  /** Continue the run that the folder holds. Without this option a folder that holds a run is refused. */
  readonly resume: boolean;
  /** The largest number of tokens that the encoder may read. */
  readonly maxTokens: number;
  /** Continue although the model already answers too many of the first samples without any help. */
  readonly ignoreCeiling?: boolean;
  /** Continue although the model ranks the first pools hardly better than chance. */
  readonly ignoreFloor?: boolean;
  /** The plan of the run, from a file that `dkv plan` wrote. The run records the plan and names whatever deviates from it. */
  readonly plan?: LockedPlan;
  /** The folder of an earlier run of this experiment with this model, on other samples, whose gains say the margins of the verdicts. */
  readonly marginFrom?: string;
  /** Keep the samples' texts out of the run folder. */
  readonly noText?: boolean;
  /** Compress samples and trials when the run has ended. A run that continues from compressed trials compresses both in any case. */
  readonly compress?: boolean;
  /** The file that the experiment was read from, for the run's record. */
  readonly study?: StudyRecord;
  /** Options of the command line that the configuration does not say, for the run's record. */
  readonly asked?: AskedRecord;
  /** The writers of surrogates that a model writes. */
  readonly sources?: TextSources;
  /**
   * The name of the language model that writes surrogates. It is part of the configuration where a surrogate needs it. `self` stands for the model
   * that is being measured, which takes no prompt: conditions that differ by a prompt alone are then left out.
   */
  readonly writer?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  /**
   * This callback receives the computation of the statistics, which holds the thread for seconds, and has to run it and return its result.
   * Everything else is in the folder by then.
   */
  readonly whileBlocked?: (work: () => Summary) => Summary;
  /** This callback is told of how many trials temperatures are made, of how many, where the statistics take long for them. It may not wait. */
  readonly onStatistics?: (done: number, total: number) => void;
  /** This callback is told how many documents surrogates have been written for, of how many. */
  readonly onWriting?: (done: number, total: number) => void;
  /** This callback receives notices: things that the user should know and that are no errors, such as conditions that are left out. */
  readonly onNotice?: (notice: string) => void;
}

export interface RunProgress {
  readonly doneSamples: number;
  readonly totalSamples: number;
  /** How many of `doneSamples` were done before this call. */
  readonly resumedSamples: number;
}
