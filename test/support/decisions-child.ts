/** A decision log on a disk that fills up and is emptied again: prints what it noticed, counted and left. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDecisionLogs } from '../../src/server/decision-reader.js';
import { DecisionLog, decisionSettingsSchema } from '../../src/server/decisions.js';
import { madeDecision } from './made-decisions.js';

const [folder = ''] = process.argv.slice(2);
const notices: string[] = [];
const settings = decisionSettingsSchema.parse({ folder, buffer_bytes: 200_000 });
const log = await DecisionLog.open(settings, { experiment: null, onNotice: (text) => notices.push(text), restMs: 20 });
log.write(madeDecision({ decision: 'before' }));
while (log.counts.written < 1) await sleep(5);
const filler = path.join(folder, 'filler');
for (let size = 4_000_000; size >= 1000; size = Math.floor(size / 2)) {
  for (let at = 0; ; at++) if (!(await fits(`${filler}-${size}-${at}`, size))) break;
}
// More than the last page of the file takes.
for (let n = 0; n < 2000; n++) log.write(madeDecision({ decision: `full-${n}` }));
while (log.counts.failures < 3) await sleep(5);
const whileFull = { ...log.counts };
for (const name of await readdir(folder)) if (name.startsWith('filler')) await rm(path.join(folder, name));
while (log.counts.written + log.counts.dropped < 2001) await sleep(5);
log.write(madeDecision({ decision: 'after' }));
await log.close();
const read: string[] = [];
let torn = 0;
for await (const { line } of readDecisionLogs([folder])) {
  if (line === undefined) torn++;
  else if (line.kind !== 'log') read.push(line.decision);
}
process.stdout.write(JSON.stringify({ notices, whileFull, counts: log.counts, read, torn }));

async function fits(file: string, size: number): Promise<boolean> {
  const isWritten = await writeFile(file, Buffer.alloc(size)).then(
    () => true,
    () => false,
  );
  if (!isWritten) await rm(file, { force: true });
  return isWritten;
}
