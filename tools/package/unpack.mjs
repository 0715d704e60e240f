/** In a clone: unpacks the built-in model's weights, which git keeps compressed. The published package has them as they are. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const packed = path.resolve(import.meta.dirname, '../../models/tiny/model.safetensors.gz');
const file = packed.replace(/\.gz$/, '');
const isFresh = (one, other) => existsSync(one) && statSync(one).mtimeMs >= statSync(other).mtimeMs;
if (existsSync(packed) && !isFresh(file, packed)) {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, gunzipSync(readFileSync(packed)));
  renameSync(partial, file);
}
