/** The files of a catalogue in a folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import { describeFiles } from '../conformance/catalogue-files.js';

const CHILD = path.resolve(import.meta.dirname, '../support/files-child.ts');
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describeFiles('a folder', {
  open: async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-files-'));
    folders.push(folder);
    return { files: new FolderFiles(folder), others: new FolderFiles(folder) };
  },
  pageEntries: 100,
  attempts: 12,
  putAndBreak: async ({ location }, name, bytes, attempt) => {
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, location, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // It may have ended by itself before it is killed.
    const ended = once(child, 'close');
    child.stdin.end(bytes);
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, attempt));
    child.kill('SIGKILL');
    await ended;
  },
});
