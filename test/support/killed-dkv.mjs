#!/usr/bin/env node
/**
 * `dkv` as runners start it. A worker is killed with -9, together with this process, once it has said that a chunk is done, as often as there are files in
 * the folder DKV_KILLS: each kill takes one away.
 */
import { spawn } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const entry = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const child = spawn(process.execPath, [entry, ...process.argv.slice(2)], { stdio: ['inherit', 'pipe', 'inherit'] });
const isWorker = process.argv[3] === 'work';
child.stdout.on('data', (text) => {
  process.stdout.write(text);
  if (!isWorker || !text.includes('Chunk ')) return;
  for (const name of readdirSync(process.env.DKV_KILLS)) {
    try {
      rmSync(path.join(process.env.DKV_KILLS, name));
    } catch {
      continue;
    }
    child.kill('SIGKILL');
    process.kill(process.pid, 'SIGKILL');
  }
});
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 128 + 9 : code;
});
