/** In a clone: takes out what onnxruntime-node has for other platforms than this one, 240 of its 290 MB. `npm ci` brings it back. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const binaries = path.resolve(import.meta.dirname, '../../node_modules/onnxruntime-node/bin/napi-v6');
if (existsSync(path.join(binaries, process.platform, process.arch))) {
  for (const platform of readdirSync(binaries)) {
    for (const arch of readdirSync(path.join(binaries, platform))) {
      if (platform !== process.platform || arch !== process.arch) {
        rmSync(path.join(binaries, platform, arch), { recursive: true });
      }
    }
  }
}
