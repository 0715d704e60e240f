/** What a shared library of Linux says of itself in its dynamic section (ELF, 64 bits, little-endian): which others it needs. Reads a few kilobytes of it. */
import { type FileHandle, open } from 'node:fs/promises';

const LOAD = 1;
const DYNAMIC = 2;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const X86_64 = 62;
const HEADER_BYTES = 64;
/** An upper limit for each part of a library. No library of ours comes near it. */
const MOST_BYTES = 64 * 2 ** 20;

/**
 * Tells whether a file is a library for Linux on x64.
 * @param head the first bytes of a file
 */
export function isX64Library(head: Uint8Array): boolean {
  if (head.length < 20) return false;
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  return bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1 && bytes.readUInt16LE(18) === X86_64;
}

/** Bytes that a library has at least: its table of sections stands at its end. @param head the first bytes of a library */
export function expectedBytes(head: Uint8Array): number {
  if (head.length < HEADER_BYTES) return HEADER_BYTES;
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  return Number(bytes.readBigUInt64LE(40)) + bytes.readUInt16LE(58) * bytes.readUInt16LE(60);
}

/** Tells whether a file is a library for x64 that was not cut off. Errors are the system's. */
export async function isWholeLibrary(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const header = await read(handle, 0, HEADER_BYTES);
    return header !== undefined && isX64Library(header) && (await handle.stat()).size >= expectedBytes(header);
  } finally {
    await handle.close();
  }
}

/** The libraries that a library needs, by name, in its order; undefined where the file is none for x64. Errors are the system's. */
export async function neededLibraries(file: string): Promise<string[] | undefined> {
  const handle = await open(file);
  try {
    const header = await read(handle, 0, HEADER_BYTES);
    if (!header || !isX64Library(header)) return undefined;
    const size = header.readUInt16LE(54);
    const table = await read(handle, Number(header.readBigUInt64LE(32)), size * header.readUInt16LE(56));
    if (!table || size < 56) return undefined;
    const segments = Array.from({ length: table.length / size }, (_, i) => ({
      type: table.readUInt32LE(i * size),
      offset: Number(table.readBigUInt64LE(i * size + 8)),
      address: Number(table.readBigUInt64LE(i * size + 16)),
      bytes: Number(table.readBigUInt64LE(i * size + 32)),
    }));
    const dynamic = segments.find(({ type }) => type === DYNAMIC);
    const entries = dynamic && (await read(handle, dynamic.offset, dynamic.bytes));
    if (!entries) return undefined;
    const tagged = Array.from({ length: Math.floor(entries.length / 16) }, (_, i) => ({
      tag: Number(entries.readBigInt64LE(i * 16)),
      value: Number(entries.readBigUInt64LE(i * 16 + 8)),
    }));
    const taggedWith = (wanted: number) => tagged.find(({ tag }) => tag === wanted)?.value;
    const [address, bytes] = [taggedWith(DT_STRTAB), taggedWith(DT_STRSZ)];
    if (address === undefined || bytes === undefined) return undefined;
    const segment = segments.find(
      (own) => own.type === LOAD && own.address <= address && address < own.address + own.bytes,
    );
    const names = segment && (await read(handle, segment.offset + address - segment.address, bytes));
    if (!names) return undefined;
    return tagged
      .filter(({ tag, value }) => tag === DT_NEEDED && value < names.length)
      .map(({ value }) => names.toString('latin1', value, names.indexOf(0, value)));
  } finally {
    await handle.close();
  }
}

/** Reads bytes at a position; undefined where the file ends before them. */
async function read(handle: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  if (length > MOST_BYTES) return undefined;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  return bytesRead === length ? buffer : undefined;
}
