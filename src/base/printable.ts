/**
 * Text of unknown origin made printable: what would move a terminal's cursor, change its colours, turn the reading direction round or
 * make a picture unreadable is written as its code, `\u001b`. The form is that of JSON, so that JSON stays exact JSON.
 */

/**
 * Control characters but line feed and tab; separators and overrides of direction; halves of characters; what XML does not allow;
 * invisible tags.
 */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: They are what is looked for.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ufffe\uffff]|\p{Surrogate}|[\u{e0000}-\u{e007f}]/gu;

export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    let escaped = '';
    for (let at = 0; at < character.length; at++) {
      escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }
    return escaped;
  });
}
