/**
 * Sentence templates: `{slot}`, `{Slot}` with a capital, `{a slot}` and `{A slot}` with the right indefinite article.
 * Knows English spelling, not what the sentences are about.
 */

export type Slots = Readonly<Record<string, string>>;

const SLOT = /\{(?:(a|A) )?([A-Za-z]+)\}/g;

/** Written with a vowel but spoken with a consonant, and the other way round. */
const CONSONANT_SOUND = /^(?:uni|use|used|euro|one\b|ukulele)/i;
const VOWEL_SOUND = /^(?:hour|honest|8|11\b|18\b|[FHLMNRSX](?:[A-Z]|\b)|e-)/;

export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function article(word: string): 'a' | 'an' {
  if (VOWEL_SOUND.test(word)) return 'an';
  if (CONSONANT_SOUND.test(word)) return 'a';
  return /^[aeiou]/i.test(word) ? 'an' : 'a';
}

/** The names of the slots that a template needs, in lower case. */
export function slotsOf(template: string): string[] {
  return [...template.matchAll(SLOT)].map((match) => lowerFirst(match[2]!));
}

/** The ways in which templates may write a slot between its braces. */
export function spellingsOf(slot: string): string[] {
  return ['', 'a ', 'A '].flatMap((indefinite) => [indefinite + slot, indefinite + capitalize(slot)]);
}

/** @throws RangeError when a slot has no value: a template was chosen that does not fit */
export function fill(template: string, slots: Slots): string {
  return template.replace(SLOT, (_, indefinite: string | undefined, name: string) => {
    const value = slots[lowerFirst(name)];
    if (value === undefined) throw new RangeError(`template "${template}" needs the slot "${name}"`);
    const cased = name === lowerFirst(name) ? value : capitalize(value);
    if (indefinite === undefined) return cased;
    return `${indefinite === 'A' ? capitalize(article(value)) : article(value)} ${cased}`;
  });
}

/** "a lamp", "a lamp and a chair", "a lamp, a chair and a rug". */
export function listing(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
