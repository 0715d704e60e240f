/** Plans of runs in their files: locked by a digest when they are made, and refused when they are no longer what was locked. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type Canonical, canonicalJson } from '../base/canonical.js';
import { DkvError, messageOf } from '../base/errors.js';
import { parse } from '../base/parse.js';
import { readText } from '../base/text-input.js';
import { type Code, type LockedPlan, lockedPlanSchema, PLAN_FORMAT, type PlanContent } from './schema/locked-plan.js';

/** Locks a plan: whatever is changed in it afterwards gives another digest. */
export function locked(content: PlanContent): LockedPlan {
  return { ...content, sha256: digestOf(content) };
}

/** The text of a plan as it stands in its file. */
export function planText(plan: LockedPlan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}

/**
 * Reads a locked plan, from its own file or from the record of a run under it.
 * @throws DkvError INPUT_INVALID for a file that is not a plan, or is one of another format; PLAN_ALTERED where its digest is not that of its
 * content
 */
export async function readLockedPlan(file: string): Promise<LockedPlan> {
  const invalid = (message: string) =>
    new DkvError(
      'INPUT_INVALID',
      `${file}: ${message} Expected a file that "dkv plan" wrote, or the run.json of a run under a plan.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(await readText(file));
  } catch (error) {
    if (error instanceof DkvError) throw error;
    throw invalid(`not JSON (${messageOf(error).replace(/\s+/g, ' ')}).`);
  }
  const ofRun = z.looseObject({ plan: z.looseObject({ locked: z.unknown() }) }).safeParse(value);
  const found = z
    .looseObject({ format: z.unknown(), sha256: z.string() })
    .safeParse(ofRun.success ? ofRun.data.plan.locked : value);
  if (!found.success) throw invalid('no plan with its sha256.');
  const { sha256, ...content } = found.data;
  if (sha256 !== digestOf(content)) {
    throw new DkvError(
      'PLAN_ALTERED',
      `${file}: the plan is not what was locked: its content has the SHA-256 ${digestOf(content)}, it says ${sha256}. Bring it back from a copy, or make another plan, before the first trial.`,
    );
  }
  if (content.format !== PLAN_FORMAT) {
    throw invalid(`a plan of format ${JSON.stringify(content.format)}; this version reads format ${PLAN_FORMAT}.`);
  }
  return parse(lockedPlanSchema, found.data, 'INPUT_INVALID', `${file}: not a plan`);
}

function digestOf(content: object): string {
  // By way of JSON, which has no undefined members.
  const json = canonicalJson(JSON.parse(JSON.stringify(content)) as Canonical);
  return createHash('sha256').update(json).digest('hex');
}

const PACKAGE = path.resolve(import.meta.dirname, '../..');

/** The program that runs: its version, and a digest of its own code, which is another for compiled code and its sources. */
export async function ownCode(): Promise<Code> {
  const own = await readFile(path.join(PACKAGE, 'package.json'));
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(own.toString()));
  const extension = path.extname(import.meta.filename);
  const folder = path.resolve(import.meta.dirname, '..');
  const files = (await readdir(folder, { recursive: true }))
    .filter((file) => file.endsWith(extension) && !file.endsWith('.d.ts'))
    .map((file) => file.split(path.sep).join('/'))
    .sort();
  const hash = createHash('sha256').update(own);
  for (const file of files) {
    const content = await readFile(path.join(folder, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return { version, digest: hash.digest('hex') };
}
