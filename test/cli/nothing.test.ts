/** Commands that have nothing to work on say so; a reader that goes away is nobody's fault. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

async function folder(): Promise<string> {
  const cwd = await temporaryFolder();
  const files = {
    'empty.jsonl': '',
    'blank.jsonl': '\n\n',
    'docs.jsonl': '{"id":"a","text":"A lamp."}\n',
    'bad.jsonl': '{"id":"a"}\n',
    'queries.jsonl': '{"_id":"q","text":"lamp"}\n',
    'judged.txt': 'q 0 a 1\n',
    'others.txt': 'other 0 a 1\n',
    'words.jsonl': '{"_id":"q","text":"chair"}\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(cwd, name), text);
  return cwd;
}

describe('nothing to work on', () => {
  it.each([
    ['score without lines', ['score', '--input', 'empty.jsonl'], 'empty.jsonl: there are no lines in it'],
    ['score with blank lines', ['score', '--input', 'blank.jsonl'], 'blank.jsonl: there are no lines in it'],
    [
      'score with documents instead of pairs',
      ['score', '--input', 'docs.jsonl'],
      'docs.jsonl has no "document" and no "target" in the first 1 lines; it has id, text.',
    ],
    ['prime without documents', ['prime', '--input', 'empty.jsonl', '--store', 's'], 'empty.jsonl'],
    ['prime where all are rejected', ['prime', '--input', 'bad.jsonl', '--store', 's'], ''],
    ['rank for no queries', ['rank', '--store', 's', '--queries', 'empty.jsonl'], 'no queries in it'],
    [
      'rank where no document has a word of a query',
      ['rank', '--store', 's', '--queries', 'words.jsonl'],
      'none of its 1 documents has a word of them.',
    ],
    [
      'evaluate where no query is judged',
      ['evaluate', '--store', 'nowhere', '--queries', 'queries.jsonl', '--qrels', 'others.txt'],
      '--qrels others.txt judges none of the 1 queries of queries.jsonl: it has other, they are q.',
    ],
  ])('%s ends with status 2', async (_, args, message) => {
    const cwd = await folder();
    if (args[0] === 'rank') await dkv(['prime', '--input', 'docs.jsonl', '--store', 's'], { cwd });
    const { exitCode, stderr } = await dkv(args, { cwd });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  it('a store whose documents have expired has no candidates', async () => {
    const cwd = await folder();
    expect((await dkv(['prime', '--input', 'docs.jsonl', '--store', 's', '--ttl', '1s'], { cwd })).exitCode).toBe(0);
    await setTimeout(1100);
    for (const args of [
      ['rank', '--store', 's', '--queries', 'queries.jsonl', '--candidates', 'bm25:10', '--output', 'run.txt'],
      ['evaluate', '--store', 's', '--queries', 'queries.jsonl', '--qrels', 'judged.txt', '--candidates', 'bm25:10'],
    ]) {
      const { exitCode, stderr } = await dkv(args, { cwd });
      expect(stderr).toMatch(/has candidates by bm25:10 in .*not expired|DOCUMENT_MISSING/);
      expect(exitCode).toBe(2);
    }
  });
});

it('a reader that goes away ends a command quietly, as it ends others', async () => {
  const entry = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
  const script = `"${process.execPath}" "${entry}" data adworld --count 100000 | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const child = spawn('bash', ['-c', script]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await once(child, 'close');
  const [first, status] = stdout.split('\n');
  expect(JSON.parse(first!)).toHaveProperty('id', 'adworld-test-00000');
  // That of a process that SIGPIPE has ended.
  expect(status).toBe('141');
  expect(stderr).toBe('');
});
