/**
 * The normalizer `Precompiled`: a character map of sentencepiece, as Python's tokenizers apply it.
 *
 * The map is one block of bytes: the size of a double array (Darts), the array's units of 32 bits, and the replacements, each ended by a
 * zero byte. A unit holds the byte that leads to it, the distance to its children, and whether a value lies among them: the place of the
 * replacement. A grapheme cluster of fewer than six bytes is looked up as one, a longer one character by character. The lookup takes the shortest
 * entry that a cluster begins with for the whole of it, so that U+0308 behind "ﬁ" vanishes: this is what models were trained behind.
 *
 * Clusters come from a library with Unicode 17, which is what Python's tokenizers 0.23 know, and not from `Intl.Segmenter`, whose
 * Unicode is that of the running Node.
 */
import { splitGraphemes } from 'unicode-segmenter/grapheme';
import { DkvError } from '../../base/errors.js';

/** The first character that may join the one before it. Those below stand alone, except for a line feed behind a carriage return. */
const FIRST_JOINING = 0x300;
const [RETURN, FEED] = [0x0d, 0x0a];

const LONGEST_CLUSTER = 5;
const REMEMBERED_CLUSTERS = 20_000;

const utf8 = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class CharacterMap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  /** The replacements of characters below `FIRST_JOINING`, and of clusters; undefined where they stay as they are. */
  readonly #simple: (string | undefined)[];
  readonly #known = new Map<string, string>();

  /** @param base64 of the map @throws Error for what is no base64; DkvError CHECKPOINT_INVALID for a map of another form, at the latest when a text meets the fault */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.toString('base64') !== base64) throw new Error('its character map is not base64');
    const size = bytes.length >= 4 ? bytes.readUInt32LE(0) : 0;
    const count = Math.floor(size / 4);
    if (count === 0 || bytes.length < 4 + 4 * count) throw damaged();
    this.#units = Uint32Array.from({ length: count }, (_, at) => bytes.readUInt32LE(4 + 4 * at));
    this.#replacements = bytes.subarray(4 + 4 * count);
    strict.decode(this.#replacements);
    this.#simple = Array.from({ length: FIRST_JOINING }, (_, code) => this.#find(String.fromCharCode(code)));
  }

  normalize(text: string): string {
    let made = '';
    let done = 0;
    for (let at = 0; at < text.length; ) {
      const end = this.#boundaryAfter(text, at);
      const isAlone = end === at + 1 && text.charCodeAt(at) < FIRST_JOINING;
      const replacement = isAlone ? this.#simple[text.charCodeAt(at)] : this.#normalizeClusters(text.slice(at, end));
      if (replacement !== undefined) {
        made += text.slice(done, at) + replacement;
        done = end;
      }
      at = end;
    }
    return made + text.slice(done);
  }

  /** The next place between two characters that stand alone. */
  #boundaryAfter(text: string, start: number): number {
    let at = start + 1;
    let before = text.charCodeAt(start);
    for (; at < text.length; at++) {
      const after = text.charCodeAt(at);
      const isPair = before === RETURN && after === FEED;
      if (before < FIRST_JOINING && after < FIRST_JOINING && !isPair) break;
      before = after;
    }
    return at;
  }

  #normalizeClusters(text: string): string {
    let made = '';
    for (const cluster of splitGraphemes(text)) {
      if (cluster.length <= LONGEST_CLUSTER) made += this.#normalizeCluster(cluster);
      else for (const character of cluster) made += this.#normalizeCluster(character);
    }
    return made;
  }

  #normalizeCluster(cluster: string): string {
    let known = this.#known.get(cluster);
    if (known === undefined) {
      const whole = utf8.encode(cluster).length <= LONGEST_CLUSTER ? this.#find(cluster) : undefined;
      known = whole ?? Array.from(cluster, (character) => this.#find(character) ?? character).join('');
      if (this.#known.size >= REMEMBERED_CLUSTERS) this.#known.clear();
      this.#known.set(cluster, known);
    }
    return known;
  }

  /** The replacement of the shortest entry that a text begins with. */
  #find(text: string): string | undefined {
    let place = distanceOf(this.#units[0]!);
    for (const byte of utf8.encode(text)) {
      if (byte === 0) return undefined;
      place ^= byte;
      const unit = this.#unitAt(place);
      if ((unit & 0x800000ff) !== byte) return undefined;
      place ^= distanceOf(unit);
      if (unit & 0x100) return this.#replacementAt(this.#unitAt(place) & 0x7fffffff);
    }
    return undefined;
  }

  #unitAt(place: number): number {
    const unit = this.#units[place];
    if (unit === undefined) throw damaged();
    return unit;
  }

  #replacementAt(start: number): string {
    if (start > this.#replacements.length) throw damaged();
    const end = this.#replacements.indexOf(0, start);
    return strict.decode(this.#replacements.subarray(start, end < 0 ? undefined : end));
  }
}

function distanceOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function damaged(): DkvError {
  return new DkvError(
    'CHECKPOINT_INVALID',
    "The character map of the tokenizer's normalizer (precompiled_charsmap in tokenizer.json) is damaged: it points outside of itself. Bring the file anew.",
  );
}
