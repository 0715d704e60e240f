/** `dkv store`: looks after stores of directed caches. */

import { Command, Option } from 'commander';
import { fileError } from '../base/files.js';
import type { Transferred } from '../store/transfer.js';
import { storeCollectionSchema, storeStatsSchema, storeTransferSchema } from '../wire/primed.js';
import { openInput } from './input.js';
import { printJson } from './json.js';
import { expectNoGeneration, withStore } from './open-stores.js';
import { withOutput } from './output.js';
import { byteSize, duration, manyOf, shownBytes, shownCount } from './quantities.js';
import { addGenerationCommands } from './store-generations.js';
import { addTakedownCommands } from './store-takedowns.js';
import { verifyStore } from './store-verify.js';
import { interruptSignal, Progress } from './terminal.js';

interface JsonOption {
  readonly json: boolean;
}

interface TransferCommandOptions extends JsonOption {
  readonly replace: boolean;
  readonly maxBytes?: number;
}

const PLACES =
  'A store is a folder, redis://host:port/database?prefix=name, s3://bucket/prefix, or one generation of a catalogue, which may only be read:\npacked:folder or packed:s3://bucket/prefix, with ?alias=name (live by default) or ?generation=id.';

export function storeCommand(): Command {
  const store = new Command('store').description(
    'Look after stores of directed caches, and publish generations of them.',
  );
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
    '  dkv store verify ads\n  dkv store verify ads --remove\n  dkv store verify packed:ads-catalogue --repair-from packed:s3://bucket/ads --documents lost.jsonl',
  )
    .option('--remove', 'take out what is damaged, so that it is primed or noted again; not of packed:', false)
    .option('--repair-from <catalogue>', 'of packed: fetch what is damaged from this copy of the catalogue')
    .option(
      '--documents <file>',
      'of packed: write documents that stay damaged and whose text can be read, to be primed again; - for standard output',
    )
    .action(verifyStore);
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
  addGenerationCommands(store);
  addTakedownCommands(store);
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
      ['documents', shownCount(documents)],
      ['records', `${shownCount(records)}${pinned > 0 ? `, ${shownCount(pinned)} pinned` : ''}`],
      ['size', `${shownBytes(sizeBytes)}${maxBytes === undefined ? '' : ` of ${shownBytes(maxBytes)}`}`],
    ];
    if (primed) {
      const { model, modelPrecision, statesPrecision, visibility, maxTokens, fingerprint } = primed;
      const shown = typeof visibility === 'string' ? visibility : visibility.join(',');
      rows.push(
        ['primed with', `${model} (${fingerprint.slice(0, 12)}), weights ${modelPrecision}, states ${statesPrecision}`],
        ['', `visibility ${shown}, at most ${shownCount(maxTokens)} tokens`],
      );
    } else rows.push(['primed with', 'nothing yet']);
    if (prior) rows.push(['prior', `${shownCount(prior.queries.length)} reference queries`]);
    if (calibration) rows.push(['calibration', 'yes']);
    process.stdout.write(rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join(''));
  });
}

async function gc(location: string, { json, minAge }: JsonOption & { readonly minAge: number }): Promise<void> {
  await withStore(location, { mustExist: true }, async (store) => {
    const collected = await store.gc({ minimumAgeMs: minAge });
    if (json) return printJson(storeCollectionSchema, { store: store.location, ...collected });
    const { records, sizeBytes, documents } = collected;
    process.stdout.write(
      `Gone: ${manyOf(records, 'record')} (${shownBytes(sizeBytes)}) and ${manyOf(documents, 'expired document')}.\n`,
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
  expectNoGeneration(location);
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
  expectNoGeneration(to);
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

function capOf({ maxBytes }: TransferCommandOptions): { readonly maxBytes?: number } {
  return maxBytes === undefined ? {} : { maxBytes };
}

function report(progress: Progress, { documents, unchanged }: Transferred): void {
  progress.count(documents + unchanged, unchanged > 0 ? `${shownCount(unchanged)} of them unchanged` : '');
}

function tell(done: string, counts: Transferred, json: boolean, stream: NodeJS.WriteStream = process.stdout): void {
  if (json) {
    printJson(storeTransferSchema, counts, stream);
    return;
  }
  const { documents, records, notes, unchanged, incomplete } = counts;
  const kept = unchanged > 0 ? `; ${shownCount(unchanged)} were there` : '';
  const gone = incomplete > 0 ? `; ${shownCount(incomplete)} left out, their records are gone: prime them again` : '';
  stream.write(
    `${manyOf(documents, 'document')}, ${manyOf(records, 'record')}, ${manyOf(notes, 'note')} ${done}${kept}${gone}.\n`,
  );
}
