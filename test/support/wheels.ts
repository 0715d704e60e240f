/** Wheels and Python environments that were made up: of the same form as the real ones, with libraries that hold nothing to run. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';

/** What a library for Linux on x64 begins with, and the version as the provider's library holds it. */
export function library(version: string, name = ''): Buffer {
  const head = Buffer.alloc(64);
  head.writeUInt32BE(0x7f454c46, 0);
  head.set([2, 1, 1], 4);
  head.writeUInt16LE(62, 18);
  return Buffer.concat([head, Buffer.from(`${name}\0${version}\0`), Buffer.alloc(100_000, 7)]);
}

export interface Made {
  readonly version: string;
  /** Of the libraries; the package's when left out. */
  readonly libraryVersion?: string;
  /** Files by name, in place of the provider's. */
  readonly files?: Readonly<Record<string, Buffer>>;
  /** A digest in RECORD that is not the file's. */
  readonly wrongDigest?: boolean;
}

/** The package's files by path. */
export function packageFiles({
  version,
  libraryVersion = version,
  files,
  wrongDigest = false,
}: Made): Map<string, Buffer> {
  const libraries = files ?? {
    'onnxruntime/capi/libonnxruntime_providers_shared.so': library(libraryVersion, 'shared'),
    'onnxruntime/capi/libonnxruntime_providers_cuda.so': library(libraryVersion, 'cuda'),
  };
  const info = `onnxruntime_gpu-${version}.dist-info`;
  const digest = (bytes: Buffer) =>
    createHash('sha256')
      .update(wrongDigest ? 'another' : bytes)
      .digest('base64url');
  const record = Object.entries(libraries).map(([name, bytes]) => `${name},sha256=${digest(bytes)},${bytes.length}`);
  return new Map([
    ...Object.entries(libraries),
    [`${info}/METADATA`, Buffer.from(`Metadata-Version: 2.4\nName: onnxruntime-gpu\nVersion: ${version}\n`)],
    [`${info}/RECORD`, Buffer.from(`${record.join('\n')}\n`)],
  ]);
}

/** A wheel as a file: a ZIP of members that are stored as they are. */
export async function writeWheel(file: string, members: ReadonlyMap<string, Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of members) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(bytes.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), bytes]);
    directory.push(
      Buffer.concat([
        Buffer.from('PK\x01\x02\x14\0', 'latin1'),
        fields,
        Buffer.alloc(10),
        u32(offset),
        Buffer.from(name),
      ]),
    );
    parts.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.size, 4);
  end.writeUInt16LE(members.size, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  await writeFile(file, Buffer.concat([...parts, listed, Buffer.from('PK\x05\x06'), end]));
  return file;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** An environment's folder with a `bin/python` that answers what it is asked, and nothing else. @returns the folder */
export async function writeEnvironment(folder: string, members: ReadonlyMap<string, Buffer>): Promise<string> {
  const packages = path.join(folder, 'lib/python3.12/site-packages');
  for (const [name, bytes] of members) {
    await mkdir(path.dirname(path.join(packages, name)), { recursive: true });
    await writeFile(path.join(packages, name), bytes);
  }
  const answer = JSON.stringify({ path: ['', '/usr/lib/python312.zip', packages], prefix: folder, version: '3.12.1' });
  const python = path.join(folder, 'bin/python');
  await mkdir(path.dirname(python), { recursive: true });
  await writeFile(python, `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`);
  await chmod(python, 0o755);
  return folder;
}
