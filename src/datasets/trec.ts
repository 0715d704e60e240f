/** TREC's text forms of runs (`qid Q0 docid rank score tag`) and judgements (`qid 0 docid grade`), and BEIR's of the latter. */
import { DkvError } from '../base/errors.js';
import { readText } from '../base/text-input.js';
import { PYTHON_SPACE } from '../base/words.js';
import { type Grades, rank, type Scores } from '../stats/ranking.js';

/** A TREC run: the scores of each query's documents, by query id. */
export type Run = ReadonlyMap<string, Scores>;
export type Qrels = ReadonlyMap<string, Grades>;

const SCORE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** @param file for errors @throws DkvError INPUT_INVALID with the line's number, also for a document that a query has twice */
export function parseRun(text: string, file: string): Run {
  const form = { columns: 'qid Q0 docid rank score tag', values: 'Scores are finite numbers' };
  return parse(text, file, form, ([qid, , docid, , score], columns) => {
    return columns === 6 && SCORE.test(score!) ? [qid!, docid!, Number(score)] : undefined;
  });
}

const GRADES = 'Grades are whole numbers';

const BEIR_HEADER = /^query-id\s+corpus-id\s+score[^\S\n]*\n/;

/**
 * This function reads judgements in TREC's four columns or in BEIR's three with their header. Ids in BEIR's form may have blanks where tabs
 * separate the columns. Grades are whole numbers; "1.0" counts as one.
 * @param file the file's name, for errors
 * @throws DkvError INPUT_INVALID with the line's number, also for a document that is judged twice for a query
 */
export function parseQrels(text: string, file: string): Qrels {
  const [header] = BEIR_HEADER.exec(text) ?? [];
  if (header === undefined) {
    const form = { columns: 'qid 0 docid grade', values: GRADES };
    return parse(text, file, form, ([qid, , docid, grade], columns) => judgement(qid, docid, grade, columns === 4));
  }
  const separator = header.includes('\t') ? /\t/ : /\s+/;
  const read = ([qid, docid, grade]: readonly string[], columns: number) => judgement(qid, docid, grade, columns === 3);
  const form = { columns: 'query-id corpus-id score', values: GRADES };
  return parse(`\n${text.slice(header.length)}`, file, form, read, separator);
}

function judgement(
  qid: string | undefined,
  docid: string | undefined,
  grade: string | undefined,
  complete: boolean,
): Line | undefined {
  const value = parseGrade(grade);
  return complete && qid && docid && value !== undefined ? [qid, docid, value] : undefined;
}

/** A grade of relevance as files have it: a whole number, which some write as "1.0"; undefined for anything else. */
export function parseGrade(text: string | undefined): number | undefined {
  if (text === undefined || !/^[+-]?\d+(?:\.0*)?$/.test(text.trim())) return undefined;
  const grade = Number(text) + 0;
  return Number.isSafeInteger(grade) ? grade : undefined;
}

/** @param name for errors @throws DkvError INPUT_INVALID when it cannot be read, and what `parseQrels` throws */
export async function readQrels(file: string, name: string = file): Promise<Qrels> {
  return parseQrels(await readText(file, name), name);
}

/**
 * This function writes a TREC run: one line a document, the best first, each score with enough digits to read the same number back.
 * @param tag the run's name; white space in it becomes `_`
 * @throws DkvError INPUT_INVALID for an id with white space, which no reader would find again
 */
export function formatRun(run: Run, tag: string): string {
  const lines: string[] = [];
  const name = oneWord(tag);
  for (const [qid, scores] of run) {
    for (const [at, docid] of rank(scores).entries())
      lines.push(`${expectWord(qid)} Q0 ${expectWord(docid)} ${at + 1} ${scores.get(docid)} ${name}\n`);
  }
  return lines.join('');
}

function oneWord(text: string): string {
  return text.trim().replace(/\s+/g, '_') || '_';
}

function expectWord(id: string): string {
  expectRunIds([id]);
  return id;
}

/** White space as any reader takes it: Python's, which includes record separators and U+0085, C's and JavaScript's. */
const WHITE_SPACE = new RegExp(`[\\s${PYTHON_SPACE}]`);

/**
 * Checks that a run can have these ids. Call it before anything is scored.
 * @throws DkvError INPUT_INVALID for ids that no reader would find again
 */
export function expectRunIds(ids: Iterable<string>): void {
  const unfit = new Set<string>();
  for (const id of ids) if (id === '' || WHITE_SPACE.test(id)) unfit.add(id);
  const [first] = unfit;
  if (first === undefined) return;
  const found =
    unfit.size > 1
      ? `${unfit.size} ids have white space or are empty, the first ${JSON.stringify(first)}`
      : `The id ${JSON.stringify(first)} has white space or is empty`;
  throw new DkvError('INPUT_INVALID', `${found}, and a TREC run has its columns between white space. Use other ids.`);
}

export function formatQrels(qrels: Qrels): string {
  return [...qrels].flatMap(([qid, grades]) => [...grades].map(([id, grade]) => `${qid} 0 ${id} ${grade}\n`)).join('');
}

/** The form of a line, for errors. */
interface Form {
  readonly columns: string;
  /** The values that its last field can take. */
  readonly values: string;
}

type Line = readonly [query: string, document: string, value: number];

function parse(
  text: string,
  file: string,
  { columns, values }: Form,
  read: (fields: readonly string[], columns: number) => Line | undefined,
  separator = /\s+/,
): Map<string, Map<string, number>> {
  const queries = new Map<string, Map<string, number>>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    // Between tabs blanks belong to an id: the corpus has it with them.
    const fields = separator.source === '\\t' ? line.replace(/\r$/, '').split(separator) : line.trim().split(separator);
    const [qid, docid, value] = read(fields, fields.length) ?? [];
    if (qid === undefined || docid === undefined || value === undefined || !Number.isFinite(value)) {
      const expected = `expected "${columns}", found "${line.trim()}". ${values}.`;
      throw new DkvError('INPUT_INVALID', `${file}, line ${at + 1}: ${expected}`);
    }
    const documents = queries.get(qid) ?? new Map<string, number>();
    if (documents.has(docid)) {
      throw new DkvError('INPUT_INVALID', `${file}, line ${at + 1}: ${docid} stands a second time under query ${qid}.`);
    }
    queries.set(qid, documents.set(docid, value));
  }
  return queries;
}
