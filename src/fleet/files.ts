/**
 * The files of plans, in the catalogue that the generation comes into:
 *
 *     fleet/<plan>/plan.json            the plan; written after its rows
 *     fleet/<plan>/rows/<chunk>.gz      the rows of a chunk, JSON lines by gzip
 *     fleet/<plan>/chunks/<chunk>.json  a chunk is done (report.ts)
 *     fleet/<plan>/failures/<chunk>.json  what went wrong with one
 *     fleet/<plan>/finish.json          a coordinator has begun to finish
 *     fleet/<plan>/finished.json        the generation is published
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { z } from 'zod';
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import { decodeChecked, encodeChecked } from '../store/generations/checked-json.js';
import type { CatalogueFiles } from '../store/generations/files.js';
import { chunkAt, decodePlan, encodePlan, isPlanId, type NamedPlan, type Plan } from './plan.js';
import {
  beginningSchema,
  type End,
  endSchema,
  type Failure,
  failureSchema,
  type Report,
  reportSchema,
} from './report.js';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

export class FleetFiles {
  readonly files: CatalogueFiles;

  constructor(files: CatalogueFiles) {
    this.files = files;
  }

  /** Writes the rows of a chunk, before the plan that names them. */
  async putRows(plan: string, chunk: number, text: Buffer): Promise<void> {
    await this.files.put(rowsName(plan, chunk), await pack(text, { level: 6 }));
  }

  /** @throws DkvError FLEET_MISMATCH where they are not those of the plan */
  async rows(named: NamedPlan, number: number): Promise<string[]> {
    const { digest } = chunkAt(named, number);
    const name = rowsName(named.id, number);
    const found = await this.files.read(name);
    const text = found && (await unpack(found.bytes).catch(() => undefined));
    if (text && sha256(text).toString('hex') === digest) return text.toString('utf8').split('\n').slice(0, -1);
    const is = found ? 'is not what the plan says' : 'is missing';
    throw new DkvError(
      'FLEET_MISMATCH',
      `${this.files.location}: ${name} ${is}, so chunk ${number} cannot be primed. Plan the same corpus again: the plan stays, and its rows come back.`,
    );
  }

  async removeRows({ id, plan }: NamedPlan): Promise<void> {
    for (const number of plan.chunks.keys()) await this.files.remove(rowsName(id, number));
  }

  /** Writes the plan, unless it is there. */
  async putPlan(plan: Plan): Promise<string> {
    const { id, bytes } = encodePlan(plan);
    await this.files.create(planName(id), bytes);
    return id;
  }

  async hasPlan(id: string): Promise<boolean> {
    return (await this.files.read(planName(id))) !== undefined;
  }

  /** The ids of all plans, in no order that means anything. */
  async plans(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { name } of this.files.list('fleet/')) {
      const [id = '', file] = name.split('/');
      if (isPlanId(id) && file === 'plan.json') ids.push(id);
    }
    return ids;
  }

  /**
   * @param text an id or the beginning of one; left out, the only plan that is not finished
   * @throws DkvError INPUT_INVALID, STORE_DAMAGED, STORE_MISMATCH
   */
  async plan(text?: string): Promise<NamedPlan> {
    const id = text !== undefined && isPlanId(text) ? text : await this.#idOf(text);
    const found = await this.files.read(planName(id));
    if (found) return { id, plan: decodePlan(id, found.bytes) };
    throw new DkvError(
      'INPUT_INVALID',
      `${this.files.location} has no plan ${id}. dkv fleet status shows those that are there, dkv fleet plan makes one.`,
    );
  }

  report(plan: string, chunk: number): Promise<Report | undefined> {
    return this.#checked(chunkName(plan, chunk), reportSchema);
  }

  /** Writes a report unless there is one. @returns the report that counts */
  async putReport(plan: string, report: Report): Promise<Report> {
    const name = chunkName(plan, report.chunk);
    if (await this.files.create(name, encodeChecked(report))) return report;
    return (await this.report(plan, report.chunk)) ?? this.putReport(plan, report);
  }

  /** Takes a report back whose shard is not what it says, or that is damaged itself. */
  async dropReport(plan: string, chunk: number): Promise<void> {
    await this.files.remove(chunkName(plan, chunk));
  }

  failure(plan: string, chunk: number): Promise<Failure | undefined> {
    return this.#checked(failureName(plan, chunk), failureSchema);
  }

  async putFailure(plan: string, failure: Omit<Failure, 'attempts'>): Promise<void> {
    const before = await this.failure(plan, failure.chunk).catch(() => undefined);
    const attempts = (before?.attempts ?? 0) + 1;
    await this.files.put(failureName(plan, failure.chunk), encodeChecked({ ...failure, attempts }));
  }

  async dropFailure(plan: string, chunk: number): Promise<void> {
    await this.files.remove(failureName(plan, chunk));
  }

  /** The numbers of chunks that have a report, and of those that have failed. */
  async listed(plan: string): Promise<{ readonly done: ReadonlySet<number>; readonly failed: ReadonlySet<number> }> {
    const numbers = async (folder: string) => {
      const found = new Set<number>();
      for await (const { name } of this.files.list(`fleet/${plan}/${folder}/`)) {
        const [, number] = /^(\d+)\.json$/.exec(name) ?? [];
        if (number !== undefined) found.add(Number(number));
      }
      return found;
    };
    const [done, failed] = await Promise.all([numbers('chunks'), numbers('failures')]);
    return { done, failed };
  }

  /** The time that the generation is made at: what the first says who asks. */
  async madeAt(plan: string): Promise<number> {
    const name = `fleet/${plan}/finish.json`;
    const mine = { madeAt: Date.now() };
    for (;;) {
      if (await this.files.create(name, encodeChecked(mine))) return mine.madeAt;
      const found = await this.#checked(name, beginningSchema);
      if (found) return found.madeAt;
    }
  }

  end(plan: string): Promise<End | undefined> {
    return this.#checked(`fleet/${plan}/finished.json`, endSchema);
  }

  async putEnd(plan: string, end: End): Promise<void> {
    await this.files.create(`fleet/${plan}/finished.json`, encodeChecked(end));
  }

  /** Removes everything of a plan but the shards, which are collected once nothing names them; the plan itself goes last. */
  async drop(id: string): Promise<void> {
    const names: string[] = [];
    for await (const { name } of this.files.list(`fleet/${id}/`)) if (name !== 'plan.json') names.push(name);
    for (const name of [...names, 'plan.json']) await this.files.remove(`fleet/${id}/${name}`);
  }

  async #idOf(text: string | undefined): Promise<string> {
    const ids = await this.plans();
    const fitting: string[] = [];
    for (const id of ids) {
      const fits = text === undefined ? (await this.end(id)) === undefined : id.startsWith(text);
      if (fits) fitting.push(id);
    }
    const [only] = fitting;
    if (only !== undefined && fitting.length === 1) return only;
    const named = text === undefined ? 'No plan was named' : `${JSON.stringify(text)} names no plan`;
    const known = ids.length === 0 ? 'there is none' : `there are ${ids.slice(-5).join(', ')}`;
    const several =
      fitting.length > 1
        ? text === undefined
          ? `${named}, and ${fitting.length} are not finished`
          : `${JSON.stringify(text)} is the beginning of ${fitting.length} plans`
        : text === undefined
          ? `${named}, and none waits to be finished`
          : named;
    throw new DkvError('INPUT_INVALID', `${this.files.location}: ${several}: ${known}. Name one with --plan.`);
  }

  async #checked<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const found = await this.files.read(name);
    return found && decodeChecked(schema, found.bytes, name);
  }
}

function planName(id: string): string {
  return `fleet/${id}/plan.json`;
}

function rowsName(id: string, chunk: number): string {
  return `fleet/${id}/rows/${chunk}.gz`;
}

function chunkName(id: string, chunk: number): string {
  return `fleet/${id}/chunks/${chunk}.json`;
}

function failureName(id: string, chunk: number): string {
  return `fleet/${id}/failures/${chunk}.json`;
}
