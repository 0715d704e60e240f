/** An experiment as the command line asks for it: with seed, prompt, outcomes and arms of its own. */
import { type Command, Option } from 'commander';
import { DkvError } from '../base/errors.js';
import type { DeclaredExperiment } from '../experiments/declaration/declared.js';
import type { Arm, Experiment, Outcome } from '../runs/schema/experiment.js';
import type { ChosenOptions } from './study.js';

type AskedOptions = Pick<ChosenOptions, 'seed' | 'prompt' | 'outcomes' | 'arms'>;

// Named here, because the schema that has them takes a while to load.
const OUTCOME_NAMES: readonly (Outcome | 'none')[] = ['temperature', 'contrast', 'recall', 'none'];
const ARM_NAMES: readonly Arm[] = ['machinery', 'no_document', 'target_form'];

export function addAskedOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--outcomes <name...>', "what is measured besides (default: the plan's, or the experiment's)").choices(
        OUTCOME_NAMES,
      ),
    )
    .addOption(
      new Option(
        '--arms <name...>',
        "conditions beside the experiment's: a control without content, no document, how the target begins",
      ).choices(ARM_NAMES),
    );
}

/**
 * @param planned by the plan that it is run under
 * @throws DkvError INPUT_INVALID for outcomes and arms that do not fit it
 */
export async function askedExperiment(
  declared: DeclaredExperiment,
  options: AskedOptions,
  planned?: Experiment,
): Promise<DeclaredExperiment> {
  expectNoneAlone(options);
  const { unfitOutcome } = await import('../experiments/declaration/define.js');
  const { withArms } = await import('../experiments/declaration/arms.js');
  const {
    seed = planned?.seed ?? declared.seed,
    prompt = planned?.prompt ?? declared.prompt,
    outcomes: wanted = planned?.outcomes ?? declared.outcomes,
    arms = planned?.arms ?? [],
  } = options;
  const outcomes = wanted?.filter((outcome) => outcome !== 'none');
  const unfit = unfitOutcome(declared, outcomes);
  if (unfit !== undefined) throw new DkvError('INPUT_INVALID', `Experiment ${declared.id}: ${unfit}`);
  const all = [...new Set([...(declared.arms ?? []), ...arms])];
  const { outcomes: _, ...rest } = declared;
  return withArms({
    ...rest,
    seed,
    prompt,
    ...(outcomes && outcomes.length > 0 && { outcomes }),
    ...(all.length > 0 && { arms: all }),
  });
}

/** @throws DkvError INPUT_INVALID for outcomes that are none and others at once */
function expectNoneAlone({ outcomes = [] }: Pick<AskedOptions, 'outcomes'>): void {
  const others = outcomes.filter((outcome) => outcome !== 'none');
  if (others.length === 0 || others.length === outcomes.length) return;
  throw new DkvError(
    'INPUT_INVALID',
    `--outcomes ${outcomes.join(' ')}: "none" is none at all, and ${others.join(', ')} ${others.length === 1 ? 'stands' : 'stand'} beside it. Leave out the one or the other.`,
  );
}

/**
 * Applies options to one of many experiments: what does not fit this one is left out and reported.
 * @param notice called with a sentence
 */
export async function askedAsFits(
  declared: DeclaredExperiment,
  { outcomes = [], arms = [], ...options }: AskedOptions,
  notice: (sentence: string) => void,
): Promise<DeclaredExperiment> {
  expectNoneAlone({ outcomes });
  const fitting = async <T>(wanted: readonly T[], as: (one: T) => AskedOptions): Promise<T[]> => {
    const kept: T[] = [];
    for (const one of wanted) {
      try {
        await askedExperiment(declared, as(one));
        kept.push(one);
      } catch (error) {
        if (!(error instanceof DkvError)) throw error;
        notice(`Left out: ${error.message}`);
      }
    }
    return kept;
  };
  const measured = await fitting(outcomes, (outcome) => ({ outcomes: [outcome] }));
  const beside = await fitting(arms, (arm) => ({ arms: [arm] }));
  return askedExperiment(declared, {
    ...options,
    ...(measured.length > 0 && { outcomes: measured }),
    ...(beside.length > 0 && { arms: beside }),
  });
}
