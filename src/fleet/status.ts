/** How far a plan is, from what workers left in the catalogue alone: a queue may be lost, and this not. */
import { inParallel, STORE_REQUESTS } from '../base/parallel.js';
import type { CatalogueFiles } from '../store/generations/files.js';
import { FleetFiles } from './files.js';
import type { NamedPlan } from './plan.js';
import type { Failure, Report } from './report.js';

export interface FleetStatus {
  readonly chunks: number;
  readonly done: number;
  /** The numbers of chunks without a report. */
  readonly missing: readonly number[];
  /** What went wrong with chunks that have no report. */
  readonly failures: readonly Failure[];
  readonly rows: number;
  /** The rows of chunks that are done. */
  readonly rowsDone: number;
  readonly rejected: number;
  readonly tokens: number;
  readonly workers: readonly WorkerStatus[];
  /** The processors of the workers, each once. */
  readonly cpus: readonly string[];
  readonly generation: string | undefined;
}

export interface WorkerStatus {
  readonly host: string;
  readonly process: number;
  readonly chunks: number;
  readonly rows: number;
  /** The seconds that it has worked on these chunks. */
  readonly seconds: number;
}

/** @throws DkvError what the catalogue throws */
export async function statusOf(files: CatalogueFiles, { id, plan }: NamedPlan): Promise<FleetStatus> {
  const fleet = new FleetFiles(files);
  const { done, failed } = await fleet.listed(id);
  const reports: Report[] = [];
  await inParallel(done, STORE_REQUESTS, async (number) => {
    // A damaged one is as good as none: its chunk is worked on again.
    const report = await fleet.report(id, number).catch(() => undefined);
    if (report && plan.chunks[number]) reports.push(report);
  });
  const finished = new Set(reports.map(({ chunk }) => chunk));
  const failures: Failure[] = [];
  for (const number of [...failed].sort((one, other) => one - other)) {
    const failure = finished.has(number) ? undefined : await fleet.failure(id, number).catch(() => undefined);
    if (failure) failures.push(failure);
  }
  const rowsOf = (numbers: Iterable<number>) => [...numbers].reduce((sum, at) => sum + (plan.chunks[at]?.rows ?? 0), 0);
  const sum = (value: (report: Report) => number) => reports.reduce((total, report) => total + value(report), 0);
  return {
    chunks: plan.chunks.length,
    done: reports.length,
    missing: [...plan.chunks.keys()].filter((number) => !finished.has(number)),
    failures,
    rows: rowsOf(plan.chunks.keys()),
    rowsDone: rowsOf(finished),
    rejected: sum(({ rejected }) => rejected.length),
    tokens: sum(({ tokens }) => tokens),
    workers: workersOf(reports, plan.chunks),
    cpus: [...new Set(reports.map(({ worker }) => worker.cpu))].sort(),
    generation: (await fleet.end(id).catch(() => undefined))?.generation,
  };
}

/** The numbers of the chunks that have no report, by names alone: whether reports are sound is asked by who works and who finishes. */
export async function missingChunks(files: CatalogueFiles, { id, plan }: NamedPlan): Promise<number[]> {
  const fleet = new FleetFiles(files);
  if (await fleet.end(id)) return [];
  const { done } = await fleet.listed(id);
  return [...plan.chunks.keys()].filter((number) => !done.has(number));
}

/**
 * The seconds until the rest is done, if so many workers go on as those did that have reported. No two machines' clocks are compared: each report says how long
 * its chunk took.
 * @returns undefined before anything is done
 */
export function secondsLeft({ workers, rows, rowsDone }: FleetStatus, working: number): number | undefined {
  const seconds = workers.reduce((sum, worker) => sum + worker.seconds, 0);
  if (rowsDone === 0 || working <= 0) return undefined;
  return ((rows - rowsDone) * (seconds / rowsDone)) / working;
}

function workersOf(reports: readonly Report[], chunks: NamedPlan['plan']['chunks']): WorkerStatus[] {
  const workers = new Map<string, WorkerStatus>();
  for (const { chunk, worker, seconds } of reports) {
    const key = `${worker.host} ${worker.process}`;
    const { host, process } = worker;
    const found = workers.get(key) ?? { host, process, chunks: 0, rows: 0, seconds: 0 };
    workers.set(key, {
      ...found,
      chunks: found.chunks + 1,
      rows: found.rows + chunks[chunk]!.rows,
      seconds: found.seconds + seconds,
    });
  }
  return [...workers.values()].sort(
    (one, other) => one.host.localeCompare(other.host, 'en') || one.process - other.process,
  );
}
