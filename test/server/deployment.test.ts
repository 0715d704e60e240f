/** The files by which a server is installed and run elsewhere say what `dkv` understands and what settings there are. Their script is run by tools/package/check.ts. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { settingsOf } from '../../src/server/settings.js';
import { parsed } from '../support/command-lines.js';

const FOLDER = path.resolve(import.meta.dirname, '../../examples/serve');
const read = (name: string) => readFileSync(path.join(FOLDER, name), 'utf8');

/** The words behind `dkv`, of a list of words. */
const behindDkv = (words: readonly string[]) => words.slice(words.findIndex((word) => /(?:^|\/)dkv$/.test(word)) + 1);

describe('files of examples/serve', () => {
  it('start commands that there are', async () => {
    const [, list] = /^CMD (\[.*\])$/m.exec(read('Containerfile')) ?? [];
    const { services } = parse(read('compose.yaml')) as { services: Record<string, { command: string[] }> };
    const [, unit] = /^ExecStart=(.*)$/m.exec(read('dkv-serve.service')) ?? [];
    const commands = [JSON.parse(list!) as string[], services.serve!.command, unit!.split(' ')].map(behindDkv);
    for (const words of commands) expect(await parsed(words)).toEqual({ written: '', ran: 'dkv serve' });
    const piped = [
      ...read('install.sh')
        .replace(/"\$\{\w+:-(\d+)\}"/g, '$1')
        .matchAll(/npx (dkv [^|\n"]*)/g),
    ].map(([, line]) => line!.trim().split(/\s+/).slice(1));
    expect(piped.map(([name]) => name)).toEqual(expect.arrayContaining(['data', 'prime', 'serve']));
    for (const words of piped) expect(await parsed(words)).toMatchObject({ written: '' });
  });

  it('write settings that the server reads', () => {
    const [, yaml] = /<<'YAML'\n([\s\S]*?)YAML\n/.exec(read('install.sh')) ?? [];
    expect(settingsOf([parse(yaml!) as object as Record<string, unknown>])).toMatchObject({
      store: 'ads',
      deadline: { ms: 2000 },
    });
  });

  it('leave more time for the end than the server takes', () => {
    const { drain } = settingsOf([{ store: 'ads' }]);
    const { services } = parse(read('compose.yaml')) as { services: Record<string, { stop_grace_period: string }> };
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(read('dkv-serve.service')) ?? [];
    for (const given of [services.serve!.stop_grace_period, seconds!]) {
      expect(Number.parseInt(given, 10)).toBeGreaterThan(drain.seconds + drain.waitSeconds);
    }
  });
});
