/** TREC's text forms of runs (`qid Q0 docid rank score tag`) and judgements (`qid 0 docid grade`). */
import { DkvError } from './errors.js';
import { type Grades, rank, type Scores } from './stats/ranking.js';

/** By query. */
export type Run = ReadonlyMap<string, Scores>;
export type Qrels = ReadonlyMap<string, Grades>;

/** @param file for errors @throws DkvError INPUT_INVALID with the line's number */
export function parseRun(text: string, file: string): Run {
  return parse(text, file, 'qid Q0 docid rank score tag', ([qid, , docid, , score], columns) => {
    return columns === 6 ? [qid!, docid!, score!] : undefined;
  });
}

/** @param file for errors @throws DkvError INPUT_INVALID with the line's number */
export function parseQrels(text: string, file: string): Qrels {
  return parse(text, file, 'qid 0 docid grade', ([qid, , docid, grade], columns) => {
    return columns === 4 && /^-?\d+$/.test(grade!) ? [qid!, docid!, grade!] : undefined;
  });
}

/** One line a document, best first, with as many digits as bring the same number back. */
export function formatRun(run: Run, tag: string): string {
  const lines: string[] = [];
  for (const [qid, scores] of run) {
    for (const [at, docid] of rank(scores).entries())
      lines.push(`${qid} Q0 ${docid} ${at + 1} ${scores.get(docid)} ${tag}\n`);
  }
  return lines.join('');
}

export function formatQrels(qrels: Qrels): string {
  return [...qrels].flatMap(([qid, grades]) => [...grades].map(([id, grade]) => `${qid} 0 ${id} ${grade}\n`)).join('');
}

function parse(
  text: string,
  file: string,
  form: string,
  read: (fields: readonly string[], columns: number) => readonly [string, string, string] | undefined,
): Map<string, Map<string, number>> {
  const queries = new Map<string, Map<string, number>>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const fields = line.trim().split(/\s+/);
    const [qid, docid, number] = read(fields, fields.length) ?? [];
    const value = Number(number);
    if (qid === undefined || docid === undefined || number === undefined || !Number.isFinite(value)) {
      throw new DkvError('INPUT_INVALID', `${file}, line ${at + 1}: expected "${form}", found "${line.trim()}".`);
    }
    const documents = queries.get(qid) ?? new Map<string, number>();
    if (documents.has(docid)) {
      throw new DkvError('INPUT_INVALID', `${file}, line ${at + 1}: ${docid} stands a second time under query ${qid}.`);
    }
    queries.set(qid, documents.set(docid, value));
  }
  return queries;
}
