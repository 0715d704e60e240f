/** Made-up records in the forms of the authors' own: numbers of bfloat16 for a few samples. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Random } from '../../src/base/random.js';

const COLUMNS = {
  exp01: [
    'bare',
    'oracle_full',
    'oracle_trunc',
    'surr_para_full',
    'surr_para_trunc',
    'surr_doc_full',
    'surr_doc_trunc',
  ],
  exp02: [
    'bare',
    'oracle_trunc',
    'surr_doc_trunc',
    'surr_para_trunc',
    'static_fact_trunc',
    'static_howto_trunc',
    'random_trunc',
    'surr_lead_trunc',
    'surr_template_trunc',
  ],
  exp2b: [
    'rand_1w_trunc',
    'rand_3w_trunc',
    'rand_5w_trunc',
    'rand_10w_trunc',
    'rand_20w_trunc',
    'rand_50w_trunc',
    'scrambled_oracle_trunc',
    'rand_matched_trunc',
    'repeat_the_trunc',
    'repeat_kw_trunc',
  ],
} as const;

export type MadeName = keyof typeof COLUMNS;
export type MadeRow = Record<string, number | string>;
export type MadeRecords = Record<MadeName, MadeRow[]>;

/** The upper half of a float32: what bfloat16 can hold. */
function bfloat16(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setUint16(2, 0);
  return view.getFloat32(0);
}

/** Rows of a checkpoint by experiment: every prefix gains, the oracle most. */
export function madeRecords(count = 12): MadeRecords {
  const random = new Random('authors records');
  const hardness = Array.from({ length: count }, () => 0.5 + 4 * random.float());
  const rowsOf = (experiment: MadeName): MadeRow[] =>
    hardness.map((bare, i) => ({
      query: `query ${i}`,
      answer: i % 3 === 0 ? 'one' : 'two words',
      passage_words: 30 + i,
      ...Object.fromEntries(
        COLUMNS[experiment].flatMap((name, c): [string, number][] => {
          const share = name === 'bare' ? 1 : (name.startsWith('oracle') ? 0.7 : 0.85) + 0.1 * random.float();
          const tokens = experiment === 'exp2b' ? [[`ptoks_${name}`, 2 + c + (i % 2)] as [string, number]] : [];
          return [[`nll_${name}`, bfloat16(bare * share)], ...tokens];
        }),
      ),
    }));
  const records = { exp01: rowsOf('exp01'), exp02: rowsOf('exp02'), exp2b: rowsOf('exp2b') };
  for (const [i, row] of records.exp2b.entries()) row.nll_rand_20w_trunc = records.exp02[i]!.nll_random_trunc!;
  return records;
}

const FOLDERS = { exp01: 'exp01', exp02: 'exp02', exp2b: 'exp02b' };

/** As the research's notebooks write them. */
export async function writeCheckpoints(folder: string, records: Partial<MadeRecords>): Promise<void> {
  for (const [name, results] of Object.entries(records)) {
    const directory = path.join(folder, FOLDERS[name as MadeName]);
    await mkdir(directory, { recursive: true });
    const content = { n_total: results.length, results, timestamp: '2026-02-03 04:05:06' };
    await writeFile(path.join(directory, 'checkpoint.json'), JSON.stringify(content));
  }
}

/** The same numbers as lines without texts. */
export async function writeNumbers(folder: string, records: Partial<MadeRecords>): Promise<void> {
  for (const [name, rows] of Object.entries(records)) {
    const lines = rows.map(({ query, answer, passage_words, ...numbers }, index) => {
      const words = (text: unknown) => String(text).split(' ').length;
      const counts = { passage_words, query_words: words(query), answer_words: words(answer) };
      return `${JSON.stringify({ index, ...counts, ...numbers })}\n`;
    });
    await writeFile(path.join(folder, `authors-${name}.jsonl`), lines.join(''));
  }
}
