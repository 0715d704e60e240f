/**
 * Reading AdWorld's banks of texts: the files of `data/adworld`, each checked and read once, when its texts are first wanted. Chance chooses by place, so a
 * file with other entries than the version's would give other samples without a word: it is refused. Beside that the forms that texts have in all of them.
 * What the banks hold stands in the files beside this one.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { fileError } from '../../base/files.js';
import { tryParse } from '../../base/parse.js';
import { spellingsOf } from '../template.js';
import { ADWORLD_VERSION } from '../version.js';
import { ADWORLD_DIGESTS } from './digests.js';
import { BANKS_FOLDER, digestOf, textOf } from './file.js';
import { parseOutline } from './outline.js';

export interface BankPlace {
  readonly folder: string;
  /** The digest that each file must have, by file name. Without digests any text of the right form is accepted. */
  readonly digests?: Readonly<Record<string, string>>;
}

const PACKAGE: BankPlace = { folder: BANKS_FOLDER, digests: ADWORLD_DIGESTS };

const INSTALL = 'It is part of the package: install directed-kvcache again';

/**
 * @throws DkvError FILES_UNUSABLE when the file cannot be read, INPUT_INVALID naming file, line and place when it has another form, and naming the file when
 * it has the form but is not the text of its digest
 */
export function readBank<T>(name: string, schema: z.ZodType<T>, { folder, digests }: BankPlace = PACKAGE): T {
  const file = path.join(folder, `${name}.md`);
  const invalid = (problem: string) =>
    new DkvError('INPUT_INVALID', `${file}, ${problem}. ${INSTALL}, or mend the line if you edited the file.`);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw fileError(error, file, `${INSTALL}.`);
  }
  let text: string;
  let parsed: ReturnType<typeof parseOutline>;
  try {
    text = textOf(bytes);
    parsed = parseOutline(text);
  } catch (error) {
    throw invalid(messageOf(error));
  }
  const bank = tryParse(schema, parsed.outline);
  if (!bank.success) throw invalid(`line ${parsed.lineAt(bank.path)}: ${bank.problem}`);
  if (digests && digestOf(text) !== digests[`${name}.md`]) throw otherText(file);
  return bank.data;
}

function otherText(file: string): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `${file} is not the text that AdWorld's version ${ADWORLD_VERSION} is made of. ${INSTALL}. If you edited the file in the repository, run \`npx tsx tools/adworld/digests.ts\` and \`npm run build\`, and raise ADWORLD_VERSION in src/adworld/version.ts if samples change.`,
  );
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

/** A list of single words, of which one line may hold many. */
export const words = z
  .array(z.string())
  .min(1)
  .transform((list) => list.flatMap((line) => line.split(/\s+/)));

export interface SlotRules {
  /** The slots that a text may have. */
  readonly allowed: readonly string[];
  /** The slots that every text must have. */
  readonly needed?: readonly string[];
}

/** The schema of sentences with slots (../template.ts). */
export function templates({ allowed, needed = [] }: SlotRules) {
  const spelled = new Map(allowed.flatMap((slot) => spellingsOf(slot).map((spelling) => [spelling, slot])));
  return texts.superRefine((list, context) => {
    for (const [at, text] of list.entries()) {
      const problem = problemWith(text, spelled, needed);
      if (problem) context.addIssue({ code: 'custom', path: [at], message: `"${text}" ${problem}` });
    }
  });
}

/**
 * Finds what is wrong with a text. It looks at indices instead of matching a pattern, because the banks have thousands of texts and asking for one
 * advertisement reads all of them.
 */
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

/** A schema for two banks of texts, one for training and one for evaluation. */
export const banked = <T extends z.ZodType>(schema: T) => z.strictObject({ train: schema, evaluation: schema });
