/** Reads decision logs and the outcomes of decisions, as files that may be large. Knows no statistics. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { fileError } from '../base/files.js';
import { parse } from '../base/parse.js';
import { openFile, textLines } from '../base/text-input.js';
import {
  type DecisionLine,
  type DecisionLogHead,
  decisionLineSchema,
  decisionLogHeadSchema,
  outcomeInputSchema,
  type ShadowLine,
  shadowLineSchema,
} from '../wire/http/decisions.js';
import { LOG_FILE } from './decisions.js';

const SCHEMAS: Readonly<Record<string, z.ZodType<DecisionLine | ShadowLine | DecisionLogHead>>> = {
  log: decisionLogHeadSchema,
  decision: decisionLineSchema,
  shadow: shadowLineSchema,
};

export interface LogLine {
  readonly file: string;
  /** undefined for a last line that was cut off. */
  readonly line: DecisionLine | ShadowLine | DecisionLogHead | undefined;
}

/**
 * @param places files, and folders of files that have the names of a log's
 * @throws DkvError INPUT_INVALID for a place without a log, and for a line that is none of a log unless it is cut off at the end of its file
 */
export async function* readDecisionLogs(places: readonly string[], signal?: AbortSignal): AsyncGenerator<LogLine> {
  for (const file of await logFiles(places)) {
    let cut: DkvError | undefined;
    for await (const { number, content } of textLines(await openFile(file), file, { signal })) {
      if (cut) throw cut;
      const value = content instanceof DkvError ? content : jsonOf(content, `${file}, line ${number}`);
      if (value instanceof DkvError) {
        cut = value;
        continue;
      }
      yield { file, line: lineOf(value, `${file}, line ${number}`) };
    }
    if (cut) yield { file, line: undefined };
  }
}

async function logFiles(places: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    places.map(async (place) => {
      const isFolder = await stat(place).then(
        (one) => one.isDirectory(),
        () => false,
      );
      if (!isFolder) return [place];
      const names = await readdir(place).catch((error: unknown) => {
        throw fileError(error, place);
      });
      const logs = names.filter((name) => LOG_FILE.test(name)).sort();
      if (logs.length > 0) return logs.map((name) => path.join(place, name));
      throw new DkvError(
        'INPUT_INVALID',
        `${place}: no file of a decision log in it, such as decisions-2026-11-28-0f3a9c51-0.jsonl. Name the files themselves if they are called otherwise.`,
      );
    }),
  );
  return [...new Set(found.flat())];
}

function jsonOf(text: string, where: string): object | DkvError {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    return new DkvError('INPUT_INVALID', `${where}: ${messageOf(error)}. A line of JSON was expected.`);
  }
  return new DkvError('INPUT_INVALID', `${where}: an object was expected.`);
}

function lineOf(value: object, where: string): DecisionLine | ShadowLine | DecisionLogHead {
  const { kind } = value as { kind?: unknown };
  const schema = typeof kind === 'string' && Object.hasOwn(SCHEMAS, kind) ? SCHEMAS[kind] : undefined;
  if (schema) return parse(schema, value, 'INPUT_INVALID', where);
  throw new DkvError(
    'INPUT_INVALID',
    `${where}: kind: expected "log", "decision" or "shadow", found ${JSON.stringify(kind) ?? 'nothing'}. Is it a decision log?`,
  );
}

/** What became of a document of a decision, as the caller says. */
export interface Outcome {
  readonly documentId: string | undefined;
  /** The document's place in the request. */
  readonly index: number | undefined;
  readonly reward: number;
}

/** Outcomes by decision. @throws DkvError INPUT_INVALID naming the line */
export async function readOutcomes(
  file: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly Outcome[]>> {
  const outcomes = new Map<string, Outcome[]>();
  for await (const { number, content } of textLines(await openFile(file, `--outcomes ${file}`), file, { signal })) {
    if (content instanceof DkvError) throw content;
    if (content.trim() === '') continue;
    const where = `${file}, line ${number}`;
    const value = jsonOf(content, where);
    if (value instanceof DkvError) throw value;
    const { decision_id, document_id, index, reward } = parse(outcomeInputSchema, value, 'INPUT_INVALID', where);
    if (document_id === undefined && index === undefined) {
      throw new DkvError('INPUT_INVALID', `${where}: document_id: expected text, or index beside it, found neither.`);
    }
    const own = outcomes.get(decision_id);
    const outcome = { documentId: document_id, index, reward };
    if (own) own.push(outcome);
    else outcomes.set(decision_id, [outcome]);
  }
  if (outcomes.size > 0) return outcomes;
  throw new DkvError(
    'INPUT_INVALID',
    `--outcomes ${file}: no outcomes in it. Expected lines like {"decision_id": "...", "document_id": "...", "reward": 1}.`,
  );
}
