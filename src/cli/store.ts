/** `dkv store`: looks after stores of directed caches. */

import { Command, Option } from 'commander';
import { counted } from '../base/counted.js';
import { fileError } from '../base/files.js';
import type { Store } from '../store/store.js';
import type { Transferred } from '../store/transfer.js';
import {
  storeCollectionSchema,
  storeStatsSchema,
  storeTransferSchema,
  storeVerificationSchema,
} from '../wire/primed.js';
import { openInput } from './input.js';
import { printJson } from './json.js';
import { withOutput } from './output.js';
import { byteSize, duration, shownBytes } from './quantities.js';
import { interruptSignal, Progress } from './terminal.js';

interface JsonOption {
  readonly json: boolean;
}

interface TransferCommandOptions extends JsonOption {
  readonly replace: boolean;
  readonly maxBytes?: number;
}

const PLACES = 'A store is a folder, redis://host:port/database?prefix=name, or s3://bucket/prefix.';

export function storeCommand(): Command {
  const store = new Command('store').description('Look after a store of directed caches: count, check, tidy, copy.');
  const add = (usage: string, description: string, examples: string) =>
    store
      .command(usage)
      .description(description)
      .option('--json', 'for machines', false)
      .addHelpText('after', `\n${PLACES}\n\nExamples:\n${examples}`);
  add('stats <store>', 'How much is in it, and what it was primed with.', '  dkv store stats ads').action(stats);
  add(
    'verify <store>',
    'Read everything and name what is damaged; the exit status is 1 if damage stays.',
    '  dkv store verify ads\n  dkv store verify ads --remove',
  )
    .option('--remove', 'take out what is damaged, so that it is primed or noted again', false)
    .action(verify);
  add(
    'gc <store>',
    'Take away what expired, and records that no document points to.',
    '  dkv store gc ads\n  dkv store gc ads --min-age 0',
  )
    .addOption(
      new Option('--min-age <time>', 'leave what was stored more recently alone: somebody may be about to need it')
        .argParser(duration)
        .default(duration('1h'), '1h'),
    )
    .action(gc);
  add(
    'export <store> <file>',
    'Write notes, documents and their records to one file, with checksums; - for standard output.',
    "  dkv store export ads ads.dkv\n  dkv store export ads - | ssh other 'dkv store import ads -'",
  ).action(exportFile);
  const transfer = (command: Command) =>
    command
      .option('--replace', 'replace the notes of the target store, which say how it was primed', false)
      .option('--max-bytes <size>', 'what was used longest ago leaves the store when it would grow beyond', byteSize);
  transfer(
    add(
      'import <store> <file>',
      'Put an exported file into a store; - for standard input. What is there already is left alone.',
      '  dkv store import ads ads.dkv',
    ),
  ).action(importFile);
  transfer(
    add(
      'copy <from> <to>',
      'Put everything of one store into another one. What is there already is left alone.',
      '  dkv store copy ads s3://bucket/ads\n  dkv store copy redis://cache:6379 ./ads',
    ),
  ).action(copy);
  return store;
}

async function stats(location: string, { json }: JsonOption): Promise<void> {
  const { readProvenance } = await import('../serving/provenance.js');
  const { readCalibrations } = await import('../serving/calibration.js');
  const { readReferenceQueries } = await import('../serving/reference-queries.js');
  await withStore(location, { mustExist: true }, async (store) => {
    const [found, primed, prior, calibration] = [
      await store.stats(),
      await readProvenance(store),
      await readReferenceQueries(store),
      await readCalibrations(store),
    ];
    if (json) {
      printJson(storeStatsSchema, {
        store: store.location,
        ...found,
        primed: primed ?? null,
        prior: prior ?? null,
        calibration: calibration ?? null,
      });
      return;
    }
    const { records, documents, pinned, sizeBytes, maxBytes } = found;
    const rows: [string, string][] = [
      ['store', store.location],
      ['documents', number(documents)],
      ['records', `${number(records)}${pinned > 0 ? `, ${number(pinned)} pinned` : ''}`],
      ['size', `${shownBytes(sizeBytes)}${maxBytes === undefined ? '' : ` of ${shownBytes(maxBytes)}`}`],
    ];
    if (primed) {
      const { model, modelPrecision, statesPrecision, visibility, maxTokens, fingerprint } = primed;
      const shown = typeof visibility === 'string' ? visibility : visibility.join(',');
      rows.push(
        ['primed with', `${model} (${fingerprint.slice(0, 12)}), weights ${modelPrecision}, states ${statesPrecision}`],
        ['', `visibility ${shown}, at most ${number(maxTokens)} tokens`],
      );
    } else rows.push(['primed with', 'nothing yet']);
    if (prior) rows.push(['prior', `${number(prior.queries.length)} reference queries`]);
    if (calibration) rows.push(['calibration', 'yes']);
    process.stdout.write(rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join(''));
  });
}

async function verify(location: string, { json, remove }: JsonOption & { readonly remove: boolean }): Promise<void> {
  await withStore(location, { mustExist: true }, async (store) => {
    const { damaged, ...read } = await store.verify({ remove });
    if (damaged.length > 0 && !remove) process.exitCode = 1;
    if (json) {
      const removed = remove ? damaged.length : 0;
      return printJson(storeVerificationSchema, { store: store.location, ...read, damaged, removed });
    }
    for (const { reason } of damaged) process.stdout.write(`${reason}\n`);
    const { records, documents, notes } = read;
    const counts = `${counted(records, 'record', number(records))}, ${counted(documents, 'document', number(documents))}, ${counted(notes, 'note', number(notes))} read`;
    const taken = remove && damaged.length > 0 ? ': taken out. Prime the same documents again' : '';
    process.stdout.write(`${counts}, ${number(damaged.length)} damaged${taken}.\n`);
  });
}

async function gc(location: string, { json, minAge }: JsonOption & { readonly minAge: number }): Promise<void> {
  await withStore(location, { mustExist: true }, async (store) => {
    const collected = await store.gc({ minimumAgeMs: minAge });
    if (json) return printJson(storeCollectionSchema, { store: store.location, ...collected });
    const { records, sizeBytes, documents } = collected;
    process.stdout.write(
      `Gone: ${counted(records, 'record', number(records))} (${shownBytes(sizeBytes)}) and ${counted(documents, 'expired document', number(documents))}.\n`,
    );
  });
}

async function exportFile(location: string, file: string, { json }: JsonOption): Promise<void> {
  const { exportStore } = await import('../store/archive.js');
  const signal = interruptSignal();
  await withStore(location, { mustExist: true }, async (store) => {
    const progress = new Progress('exporting', 'documents');
    const pieces = exportStore(store, { signal, onProgress: (counts) => report(progress, counts) });
    let exported: Transferred | undefined;
    async function* noted(): AsyncGenerator<Buffer> {
      for (;;) {
        const { done, value } = await pieces.next();
        if (!done) yield value;
        else {
          exported = value;
          return;
        }
      }
    }
    try {
      await withOutput(file, 'the archive', async (output) => {
        for await (const piece of noted()) await output.write(piece);
      });
    } finally {
      progress.end();
    }
    tell('exported', exported!, json, file === '-' ? process.stderr : process.stdout);
  });
}

async function importFile(location: string, file: string, options: TransferCommandOptions): Promise<void> {
  const { importStore } = await import('../store/archive.js');
  const signal = interruptSignal();
  const input = await openInput(file, file);
  await withStore(location, capOf(options), async (store) => {
    const progress = new Progress('importing', 'documents');
    try {
      const name = file === '-' ? 'standard input' : file;
      const { replace } = options;
      const imported = await importStore(store, input, name, {
        replace,
        signal,
        onProgress: (counts) => report(progress, counts),
      });
      progress.end();
      tell('imported', imported, options.json);
    } catch (error) {
      throw fileError(error, file);
    } finally {
      progress.end();
      input.destroy();
    }
  });
}

async function copy(from: string, to: string, options: TransferCommandOptions): Promise<void> {
  const { copyStore } = await import('../store/transfer.js');
  const signal = interruptSignal();
  await withStore(from, { mustExist: true }, (source) =>
    withStore(to, capOf(options), async (target) => {
      const progress = new Progress('copying', 'documents');
      const { replace } = options;
      try {
        const copied = await copyStore(source, target, {
          replace,
          signal,
          onProgress: (counts) => report(progress, counts),
        });
        progress.end();
        tell('copied', copied, options.json);
      } finally {
        progress.end();
      }
    }),
  );
}

async function withStore(
  location: string,
  options: { readonly mustExist?: boolean; readonly maxBytes?: number },
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const { openStore } = await import('../store/open.js');
  const store = await openStore(location, options);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

function capOf({ maxBytes }: TransferCommandOptions): { readonly maxBytes?: number } {
  return maxBytes === undefined ? {} : { maxBytes };
}

function report(progress: Progress, { documents, unchanged }: Transferred): void {
  progress.count(documents + unchanged, unchanged > 0 ? `${number(unchanged)} of them unchanged` : '');
}

function tell(done: string, counts: Transferred, json: boolean, stream: NodeJS.WriteStream = process.stdout): void {
  if (json) {
    printJson(storeTransferSchema, counts, stream);
    return;
  }
  const { documents, records, notes, unchanged, incomplete } = counts;
  const kept = unchanged > 0 ? `; ${number(unchanged)} were there` : '';
  const gone = incomplete > 0 ? `; ${number(incomplete)} left out, their records are gone: prime them again` : '';
  stream.write(
    `${counted(documents, 'document', number(documents))}, ${counted(records, 'record', number(records))}, ${counted(notes, 'note', number(notes))} ${done}${kept}${gone}.\n`,
  );
}

function number(value: number): string {
  return value.toLocaleString('en');
}
