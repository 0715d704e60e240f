/**
 * The end of a build: the command may be run as a program (npm sees to that only when it installs), and in a clone the built-in model's weights, which
 * git keeps compressed, are unpacked. The published package has them as they are.
 */
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

chmodSync(path.resolve(import.meta.dirname, '../../dist/cli/main.js'), 0o755);

const packed = path.resolve(import.meta.dirname, '../../models/tiny/model.safetensors.gz');
const file = packed.replace(/\.gz$/, '');
const isFresh = (one, other) => existsSync(one) && statSync(one).mtimeMs >= statSync(other).mtimeMs;
if (existsSync(packed) && !isFresh(file, packed)) {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, gunzipSync(readFileSync(packed)));
  renameSync(partial, file);
}
