/** Fixtures of tools/reference/make_tokenizer_fixtures.py: what Python's tokenizers and transformers make of hard strings. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export function tokenizerFixture<T>(name: string): T {
  const file = new URL(`../fixtures/tokenizers/${name}.json.gz`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
}

/**
 * A fixture of tools/reference/make_unigram_fixtures.py. Its character map stands in a file of its own, the bytes of its units apart,
 * and is put into every normalizer `Precompiled` here.
 */
export function unigramFixture<T>(name: string): T {
  const file = new URL(`../fixtures/tokenizers/${name}.map.gz`, import.meta.url);
  const apart = gunzipSync(readFileSync(file));
  const count = apart.readUInt32LE(0) / 4;
  const map = Buffer.from(apart);
  for (let unit = 0; unit < count; unit++) {
    for (let byte = 0; byte < 4; byte++) map[4 + 4 * unit + byte] = apart[4 + byte * count + unit]!;
  }
  const precompiled_charsmap = map.toString('base64');
  const withMap = (_: string, value: unknown) => {
    const isMap = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Precompiled';
    return isMap ? { ...value, precompiled_charsmap } : value;
  };
  return JSON.parse(JSON.stringify(tokenizerFixture(name)), withMap);
}

/** Per string the first four hex digits of SHA-256. */
export interface Expected {
  readonly keep: string;
  readonly keep_decoded: string;
  readonly text: string;
  readonly text_decoded: string;
  readonly drawn: string;
}

/** One tokenizer, and what its pipelines change in it. */
export interface Family {
  readonly tokenizer: object;
  readonly pipelines: readonly { readonly name: string; readonly changes: object; readonly expected: Expected }[];
}

/** A text's ids by transformers, called as it is and with `split_special_tokens=True`. */
export interface TransformersText {
  readonly text: string;
  readonly keep: readonly number[];
  readonly split: readonly number[];
  readonly decoded: string;
}

/** Rows of ids that no text gives, by the generator of the scripts that made the fixtures. */
export function drawnRows(ids: number, rows: number): number[][] {
  let state = 1;
  return Array.from({ length: rows }, () =>
    Array.from({ length: 12 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >> 8) % ids;
    }),
  );
}
