/** Bytes as characters, which byte-level vocabularies are written in: printable bytes as they are, the others from U+0100 on. */

export const BYTE_CHARACTERS: readonly string[] = (() => {
  let added = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(isPrintable ? byte : 0x100 + added++);
  });
})();

const BYTES: ReadonlyMap<string, number> = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

const utf8 = new TextEncoder();

export function toByteCharacters(text: string): string {
  let made = '';
  for (const byte of utf8.encode(text)) made += BYTE_CHARACTERS[byte];
  return made;
}

/** The bytes that a token stands for. A token with another character in it, which is an added one, stands for itself. */
function bytesOf(token: string): readonly number[] | Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTES.get(character);
    if (byte === undefined) return utf8.encode(token);
    bytes.push(byte);
  }
  return bytes;
}

/** Joins tokens as the ByteLevel decoder does. Bytes that are no character become U+FFFD. */
export function decodeByteLevel(tokens: readonly string[]): string {
  const bytes = tokens.flatMap((token) => [...bytesOf(token)]);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Joins tokens as Replace, ByteFallback and Fuse do: marks become spaces, and runs of byte tokens become their characters, or U+FFFD each. */
export function decodeByteFallback(tokens: readonly string[]): string {
  let text = '';
  let bytes: number[] = [];
  const flush = () => {
    try {
      text += strict.decode(Uint8Array.from(bytes));
    } catch {
      text += '\ufffd'.repeat(bytes.length);
    }
    bytes = [];
  };
  for (const token of tokens) {
    const replaced = token.replaceAll('▁', ' ');
    const code = /^<0x([0-9A-Fa-f]{2})>$/.exec(replaced)?.[1];
    if (code !== undefined) bytes.push(Number.parseInt(code, 16));
    else {
      if (bytes.length > 0) flush();
      text += replaced;
    }
  }
  if (bytes.length > 0) flush();
  return text;
}
