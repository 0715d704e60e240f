/**
 * Reading AdWorld's banks of texts: the files of `data/adworld`, each checked and read once, when its texts are first wanted. Beside that the forms that
 * texts have in all of them. What the banks hold stands in the files beside this one.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { fileError } from '../../base/files.js';
import { tryParse } from '../../base/parse.js';
import { spellingsOf } from '../template.js';
import { parseOutline } from './outline.js';

const FOLDER = path.resolve(import.meta.dirname, '../../../data/adworld');

/** @throws DkvError FILES_UNUSABLE when the file cannot be read, INPUT_INVALID naming file, line and place when it has another form */
export function readBank<T>(name: string, schema: z.ZodType<T>, folder = FOLDER): T {
  const file = path.join(folder, `${name}.md`);
  const invalid = (message: string) => new DkvError('INPUT_INVALID', `${file}, ${message}.`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(error, file, 'It is part of the package: install directed-kvcache again.');
  }
  let parsed: ReturnType<typeof parseOutline>;
  try {
    parsed = parseOutline(text);
  } catch (error) {
    throw invalid(messageOf(error));
  }
  const bank = tryParse(schema, parsed.outline);
  if (bank.success) return bank.data;
  throw invalid(`line ${parsed.lineAt(bank.path)}: ${bank.problem}`);
}

/** A value that is made when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Entries as they are, each once. The order is part of the dataset, for chance chooses by place. */
export const texts = z
  .array(z.string())
  .min(1)
  .superRefine((list, context) => {
    for (const [at, text] of list.entries()) {
      if (list.indexOf(text) < at)
        context.addIssue({ code: 'custom', path: [at], message: `"${text}" stands there twice` });
    }
  });

/** Single words, many a line. */
export const words = z
  .array(z.string())
  .min(1)
  .transform((list) => list.flatMap((line) => line.split(/\s+/)));

export interface SlotRules {
  /** Slots that a text may have. */
  readonly allowed: readonly string[];
  /** Slots that every text must have. */
  readonly needed?: readonly string[];
}

/** Sentences with slots (../template.ts). */
export function templates({ allowed, needed = [] }: SlotRules) {
  const spelled = new Map(allowed.flatMap((slot) => spellingsOf(slot).map((spelling) => [spelling, slot])));
  return texts.superRefine((list, context) => {
    for (const [at, text] of list.entries()) {
      const problem = problemWith(text, spelled, needed);
      if (problem) context.addIssue({ code: 'custom', path: [at], message: `"${text}" ${problem}` });
    }
  });
}

/** By index and not by pattern: the banks have thousands of texts, and whoever asks for one advertisement waits for all of them. */
function problemWith(
  text: string,
  spelled: ReadonlyMap<string, string>,
  needed: readonly string[],
): string | undefined {
  const found: string[] = [];
  for (let end = -1; ; ) {
    const start = text.indexOf('{', end + 1);
    const close = text.indexOf('}', end + 1);
    if (start < 0 && close < 0) break;
    if (start < 0 || close < start) return 'has a brace without its other half';
    const slot = spelled.get(text.slice(start + 1, close));
    if (slot === undefined) {
      const allowed = [...new Set(spelled.values())].join('}, {');
      return `has the slot ${text.slice(start, close + 1)}, and its slots may be {${allowed}}`;
    }
    found.push(slot);
    end = close;
  }
  const missing = needed.find((slot) => !found.includes(slot));
  return missing && `lacks the slot {${missing}}`;
}

/** One for training and one for evaluation. */
export const banked = <T extends z.ZodType>(schema: T) => z.strictObject({ train: schema, evaluation: schema });
