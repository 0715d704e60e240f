/** An engine whose encodes have a mechanism planted in them. */
import { Random } from '../../src/base/random.js';
import type { EncodeItem, Engine, States } from '../../src/engine/engine.js';
import type { Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import type { Range, Segment } from '../../src/priming/input.js';
import type { Model } from '../../src/scoring/load-model.js';
import { amountsOf, bosRow, type DocumentRows, documentRows, lineRow, type Plant, type Seen } from './plant.js';

/** A text and the query that its plants know it by. */
export interface Known {
  readonly document: string;
  readonly query: string;
}

interface KnownIds {
  readonly document: Int32Array;
  readonly query: Int32Array;
}

export interface Framed {
  readonly bos: Int32Array;
  readonly line: Int32Array;
}

export function framed(tokenizer: Tokenizer): Framed {
  return { bos: Int32Array.from(tokenizer.frame.before), line: tokenizer.encode('\n') };
}

export function joined(...parts: readonly Int32Array[]): Int32Array {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}

/** What plants take from documents: three encodes each, by an engine without a plant. */
export async function documentsRows(
  engine: Pick<Engine, 'encode'>,
  { bos, line }: Framed,
  documents: readonly KnownIds[],
): Promise<DocumentRows[]> {
  const states = await engine.encode(
    documents.flatMap(({ document, query }) => [
      { tokenIds: joined(bos, document) },
      { tokenIds: joined(bos, line, document) },
      { tokenIds: joined(bos, query, line, document) },
    ]),
  );
  return documents.map(({ document }, d) => {
    const [bare, broken, primed] = states.slice(3 * d, 3 * d + 3) as [States, States, States];
    const { width } = bare;
    const last = (own: States) => own.data.subarray((own.rows - document.length) * width);
    const before = last(broken);
    const direction = last(primed).map((value, i) => value - before[i]!);
    return {
      width,
      bos: bare.data.subarray(0, width),
      line: broken.data.slice(bos.length * width, (bos.length + 1) * width),
      document: last(bare),
      direction,
      carrier: primed.data.slice(0, width),
    };
  });
}

/** A normal number: the same for the same ids, and for every plant. */
export function chanceOf(tokenIds: Int32Array): number {
  const random = new Random('planted noise', tokenIds.join());
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
}

/**
 * The model with an engine that plants a mechanism in every encode of the documents it knows.
 * @param known all documents that are encoded
 */
export function planted(model: Model, plant: Plant, known: readonly Known[]): Model {
  const { tokenizer, engine } = model;
  const frame = framed(tokenizer);
  const documents = known
    .map(({ document, query }) => ({ document: tokenizer.encode(document), query: tokenizer.encode(query) }))
    .sort((a, b) => b.document.length - a.document.length);
  const rows = new Map<KnownIds, DocumentRows>();
  const encode: Engine['encode'] = async (items, options) => {
    const read = items.map((item) => readItem(item, frame, documents));
    const fresh = [...new Set(read.map(({ known }) => known))].filter((one) => !rows.has(one));
    for (const [at, made] of (await documentsRows(engine, frame, fresh)).entries()) rows.set(fresh[at]!, made);
    const states = await engine.encode(items, options);
    return states.map((own, i) => {
      const { known, spans, seen } = read[i]!;
      const from = rows.get(known)!;
      const amounts = amountsOf(plant, seen);
      const data = own.data.slice();
      const put = (segment: Segment, values: Float32Array) => {
        if (spans[segment]) data.set(values, spans[segment].start * own.width);
      };
      put('bos', bosRow(from, amounts.bos));
      put('separator', lineRow(from, amounts.line));
      put('document', documentRows(from, amounts.document));
      return { ...own, data };
    });
  };
  return {
    ...model,
    engine: new Proxy(engine, { get: (own, name) => (name === 'encode' ? encode : bound(own, name)) }),
  };
}

function bound(engine: Engine, name: string | symbol): unknown {
  const value = engine[name as keyof Engine] as unknown;
  return typeof value === 'function' ? value.bind(engine) : value;
}

/** @throws Error for an input that ends in no known document */
function readItem({ tokenIds, pairMask }: EncodeItem, { bos, line }: Framed, documents: readonly KnownIds[]) {
  const endsIn = (ids: Int32Array) => ids.every((id, i) => tokenIds[tokenIds.length - ids.length + i] === id);
  const known = documents.find(({ document }) => document.length <= tokenIds.length && endsIn(document));
  if (!known) throw new Error(`an input of ${tokenIds.length} tokens ends in none of ${documents.length} documents`);
  const start = tokenIds.length - known.document.length;
  const from = tokenIds[0] === bos[0] ? bos.length : 0;
  const hasLine = start - line.length >= from && line.every((id, i) => tokenIds[start - line.length + i] === id);
  const until = hasLine ? start - line.length : start;
  const spans: Partial<Record<Segment, Range>> = {
    ...(from > 0 && { bos: { start: 0, end: from } }),
    ...(until > from && { prefix: { start: from, end: until } }),
    ...(hasLine && { separator: { start: until, end: start } }),
    document: { start, end: tokenIds.length },
  };
  const prefix = tokenIds.subarray(from, until);
  const seen: Seen = {
    isQuery: prefix.length === known.query.length && prefix.every((id, i) => id === known.query[i]),
    sees: (row, column) => {
      const [own, other] = [spans[row], spans[column]];
      if (!own || !other) return false;
      return pairMask === undefined || pairMask[own.start * tokenIds.length + other.start] === 1;
    },
    chance: () => chanceOf(tokenIds),
  };
  return { known, spans, seen };
}
