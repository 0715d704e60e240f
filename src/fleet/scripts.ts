/** What starts a plan's workers where a team already runs things: a shell with xargs, an Indexed Job of Kubernetes, an array of Slurm. Text alone; a test runs it. */
import { stringify } from 'yaml';
import { shellWord } from '../base/shell-word.js';

export const RUNNERS = ['xargs', 'kubernetes', 'slurm'] as const;
export type Runner = (typeof RUNNERS)[number];

export interface ScriptOptions {
  /** The catalogue as workers reach it. */
  readonly catalogue: string;
  readonly plan: string;
  readonly chunks: number;
  /** The number of indices, of which each takes every so manieth chunk; for xargs, of processes. */
  readonly tasks: number;
  /** The number of indices that run at a time. */
  readonly parallel: number;
  /** The container that has `dkv`, for Kubernetes. */
  readonly image: string;
  /** What stands behind `dkv fleet work`, such as the place of the model. */
  readonly options?: readonly string[] | undefined;
}

/** How often a chunk, or an index, is tried after it has failed. */
const RETRIES = 5;
/** The exit status of what trying again does not mend. */
const USERS = 2;
/** What schedulers wait between asking a worker to end and killing it; a worker ends within ten. */
const GRACE_SECONDS = 15;

export function scriptOf(runner: Runner, options: ScriptOptions): string {
  return { xargs: xargsScript, kubernetes: kubernetesJob, slurm: slurmArray }[runner](options);
}

function workOf({ catalogue, plan, options = [] }: ScriptOptions): string[] {
  return ['dkv', 'fleet', 'work', catalogue, '--plan', plan, ...options];
}

function shell(words: readonly string[]): string {
  return words.map((word) => shellWord(word)).join(' ');
}

function xargsScript(options: ScriptOptions): string {
  const { catalogue, plan, tasks, chunks } = options;
  // Few enough that one killed process does not leave much to the next turn.
  const each = Math.max(1, Math.min(8, Math.floor(chunks / (4 * tasks))));
  const missing = shell(['dkv', 'fleet', 'status', catalogue, '--plan', plan, '--missing']);
  return `#!/bin/sh
# Chunks of plan ${plan} by ${tasks} processes of this machine. One that is killed costs the chunk in hand: what is missing is tried again, as long as something gets done.
before=
while missing=$(${missing}) && [ -n "$missing" ] && [ "$missing" != "$before" ]; do
  before=$missing
  # A killed command would end xargs, the shell around it does not.
  echo "$missing" | xargs -P ${tasks} -n ${each} sh -c '${shell(workOf(options)).replaceAll("'", `'\\''`)} --chunk "$@" || true' work
done
${shell(['dkv', 'fleet', 'finish', catalogue, '--plan', plan])}
`;
}

function kubernetesJob(options: ScriptOptions): string {
  const { plan, tasks, parallel, image } = options;
  return stringify(
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: `dkv-fleet-${plan}` },
      spec: {
        completionMode: 'Indexed',
        completions: tasks,
        parallelism: parallel,
        backoffLimitPerIndex: RETRIES,
        // The others go on: dkv fleet finish names what is missing.
        maxFailedIndexes: tasks,
        podFailurePolicy: {
          rules: [
            // A node that was taken away is no failure of the index.
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
            { action: 'FailIndex', onExitCodes: { operator: 'In', values: [USERS] } },
          ],
        },
        template: {
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: GRACE_SECONDS,
            containers: [
              {
                name: 'work',
                image,
                command: [...workOf(options), '--of', String(tasks)],
                resources: { requests: { cpu: '2', memory: '4Gi' } },
              },
            ],
          },
        },
      },
    },
    { lineWidth: 0 },
  );
}

function slurmArray(options: ScriptOptions): string {
  const { plan, tasks, parallel } = options;
  return `#!/bin/bash
#SBATCH --job-name=dkv-fleet-${plan}
#SBATCH --array=0-${tasks - 1}%${parallel}
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --requeue
#SBATCH --signal=TERM@${GRACE_SECONDS}
# Index $SLURM_ARRAY_TASK_ID takes every ${tasks}th chunk of plan ${plan}. One that fails is put back a few times, but not for what trying again does not mend.
srun ${shell([...workOf(options), '--of', String(tasks)])}
status=$?
if [ $status -ne 0 ] && [ $status -ne ${USERS} ] && [ "\${SLURM_RESTART_COUNT:-0}" -lt ${RETRIES} ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $status
`;
}
