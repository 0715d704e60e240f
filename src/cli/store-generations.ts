/** `dkv store` for catalogues of generations: what is packed, published, named, compared, compacted and taken away. */
import { type Command, Option } from 'commander';
import {
  storeCompactionSchema,
  storeDifferenceCountsSchema,
  storeDifferenceSchema,
  storeGenerationCollectionSchema,
  storePublishSchema,
} from '../wire/generations.js';
import { printJson } from './json.js';
import { withCatalogue } from './open-stores.js';
import { byteSize, duration, manyOf, shownBytes, shownCount } from './quantities.js';
import { aliasOf, sayAlias, tellAlias } from './store-alias.js';
import { listGenerations } from './store-listing.js';
import { pack } from './store-pack.js';
import { interruptSignal, Progress } from './terminal.js';

const CATALOGUES =
  'A catalogue is packed:folder or packed:s3://bucket/prefix; packed: may be left out. A generation is named by its id, the beginning of it,\nor an alias. What generations are: docs/generations.md.';

interface JsonOption {
  readonly json: boolean;
}

interface SwitchOptions extends JsonOption {
  readonly alias: string;
  readonly reason?: string;
}

interface CompactCommandOptions extends JsonOption {
  readonly activate?: true | string;
  readonly shardSize?: number;
}

interface CollectCommandOptions extends JsonOption {
  readonly minAge: number;
  readonly dryRun: boolean;
}

const SHARD_SIZE = ['--shard-size <size>', 'about how large a file is (default: 64 MiB)', byteSize] as const;
const ACTIVATE = ['--activate [alias]', 'publish it and let this alias name it (without a name: live)'] as const;

/** Adds a command of catalogues to `dkv store`. */
export function addCatalogueCommand(store: Command, usage: string, description: string, examples: string): Command {
  return store
    .command(usage)
    .description(description)
    .option('--json', 'for machines', false)
    .addHelpText('after', `\n${CATALOGUES}\n\nExamples:\n${examples}`);
}

export function addGenerationCommands(store: Command): void {
  const add = (usage: string, description: string, examples: string) =>
    addCatalogueCommand(store, usage, description, examples);
  add(
    'pack <store> <catalogue>',
    'Pack a store into a draft of a generation: a delta to what the alias live names, or a base where there is none.',
    '  dkv store pack ads ads-catalogue --activate\n  dkv store pack ads packed:s3://bucket/ads --base\n  dkv store pack ads ads-catalogue --delta 20260801T0300 --publish',
  )
    .addOption(new Option('--delta [generation]', 'only what differs from this one (without a name: live)'))
    .addOption(new Option('--base', 'all documents').conflicts('delta').default(false))
    .option('--publish', 'publish it', false)
    .option(...ACTIVATE)
    .option(...SHARD_SIZE)
    .option(
      '--again <file>',
      'JSON lines whose ids are packed whether they differ or not: what dkv store verify --documents wrote',
    )
    .action(pack);
  add(
    'publish <catalogue> [draft]',
    'Publish a draft, the latest by default. No alias names it before it is activated.',
    '  dkv store publish ads-catalogue\n  dkv store publish ads-catalogue 20260801T0300',
  ).action(publish);
  const toSwitch = (command: Command) =>
    command.option('--alias <name>', 'the alias', 'live').option('--reason <text>', 'why, for the audit');
  toSwitch(
    add(
      'activate <catalogue> [generation]',
      'Let an alias name a generation, the latest by default. Readers that open the catalogue from now on read it.',
      "  dkv store activate ads-catalogue\n  dkv store activate ads-catalogue 20260801T0300 --alias canary\n  dkv store activate ads-catalogue canary --reason 'an hour without complaints'",
    ),
  ).action(activate);
  toSwitch(
    add(
      'rollback <catalogue>',
      'Let an alias name what it named before. Documents that were taken down stay so.',
      "  dkv store rollback ads-catalogue --reason 'prices are wrong'",
    ),
  ).action(rollBack);
  add(
    'generations <catalogue>',
    'List generations and drafts, and which aliases and readers hold them.',
    '  dkv store generations ads-catalogue',
  ).action(listGenerations);
  add(
    'diff <catalogue> <a> <b>',
    'The documents that a generation adds to another, removes from it and changes in it; with --json a line each.',
    '  dkv store diff ads-catalogue live 20260801T0300\n  dkv store diff ads-catalogue live canary --json > changes.jsonl',
  ).action(diff);
  add(
    'compact <catalogue> [generation]',
    'Make one layer of all layers of a generation, of live by default, without what is taken down, and publish it.',
    '  dkv store compact ads-catalogue --activate\n  dkv store compact ads-catalogue canary --activate canary',
  )
    .option(...ACTIVATE)
    .option(...SHARD_SIZE)
    .action(compact);
  add(
    'collect <catalogue>',
    'Take away generations that no alias names and no reader holds, old drafts, and shards of neither.',
    '  dkv store collect ads-catalogue --dry-run\n  dkv store collect ads-catalogue --min-age 7d',
  )
    .addOption(
      new Option('--min-age <time>', 'leave alone what was published, named by an alias or stored more recently')
        .argParser(duration)
        .default(duration('1d'), '1d'),
    )
    .option('--dry-run', 'say what would be taken away, and take nothing away', false)
    .action(collect);
}

async function publish(place: string, draft: string | undefined, { json }: JsonOption): Promise<void> {
  const signal = interruptSignal();
  await withCatalogue(place, async (catalogue) => {
    const { id, manifest } = await catalogue.publish(draft, { signal });
    const { documents, layers } = manifest;
    if (json) {
      const counts = { documents, layers: layers.length };
      return printJson(storePublishSchema, { catalogue: catalogue.location, generation: id, ...counts });
    }
    process.stdout.write(
      `${id}, published: ${manyOf(documents, 'document')} in ${manyOf(layers.length, 'layer')}. No alias names it before dkv store activate.\n`,
    );
  });
}

async function activate(place: string, generation: string | undefined, options: SwitchOptions): Promise<void> {
  await withCatalogue(place, async (catalogue) =>
    tellAlias(catalogue, await catalogue.activate(generation, options), options),
  );
}

async function rollBack(place: string, options: SwitchOptions): Promise<void> {
  await withCatalogue(place, async (catalogue) => tellAlias(catalogue, await catalogue.rollBack(options), options));
}

async function diff(place: string, a: string, b: string, { json }: JsonOption): Promise<void> {
  await withCatalogue(place, async (catalogue) => {
    const counts = { added: 0, removed: 0, changed: 0 };
    const sign = { added: '+', removed: '-', changed: '*' } as const;
    for await (const difference of catalogue.diff(a, b)) {
      counts[difference.change]++;
      if (json) printJson(storeDifferenceSchema, difference);
      else process.stdout.write(`${sign[difference.change]} ${difference.id}\n`);
    }
    if (json) return printJson(storeDifferenceCountsSchema, counts);
    const { added, removed, changed } = counts;
    process.stdout.write(
      `${shownCount(added)} added (+), ${shownCount(removed)} removed (-), ${shownCount(changed)} changed (*).\n`,
    );
  });
}

async function compact(place: string, from: string | undefined, options: CompactCommandOptions): Promise<void> {
  const signal = interruptSignal();
  await withCatalogue(place, async (catalogue) => {
    const alias = await aliasOf(catalogue, options.activate);
    const source = await catalogue.find(from ?? 'live');
    const progress = new Progress('compacting', 'documents');
    const compacted = await catalogue
      .compact(source.id, {
        shardBytes: options.shardSize,
        signal,
        onProgress: ({ done, of }) => progress.update(done, of),
      })
      .finally(() => progress.end());
    const { generation, takenDown, writtenBytes } = compacted;
    const activated = alias === undefined ? undefined : await catalogue.activate(generation.id, { alias });
    const { documents } = generation.manifest;
    if (options.json) {
      return printJson(storeCompactionSchema, {
        catalogue: catalogue.location,
        generation: generation.id,
        from: source.id,
        documents,
        takenDown,
        writtenBytes,
        alias: activated?.alias ?? null,
      });
    }
    const down = takenDown > 0 ? `, without ${shownCount(takenDown)} that are taken down` : '';
    process.stdout.write(
      `${generation.id}, published: ${manyOf(documents, 'document')} in 1 layer${down}, made of the ${manyOf(source.manifest.layers.length, 'layer')} of ${source.id}; ${shownBytes(writtenBytes)} written.\n`,
    );
    if (activated) sayAlias(activated);
  });
}

async function collect(place: string, { minAge, dryRun, json }: CollectCommandOptions): Promise<void> {
  const signal = interruptSignal();
  await withCatalogue(place, async (catalogue) => {
    const collected = await catalogue.collect({ minimumAgeMs: minAge, dryRun, signal });
    if (json) {
      const { location } = catalogue;
      return printJson(storeGenerationCollectionSchema, { catalogue: location, dryRun, ...collected });
    }
    const { generations, drafts, shards, freedBytes, erased } = collected;
    for (const id of generations) process.stdout.write(`${id}\n`);
    process.stdout.write(
      `${dryRun ? 'Would go' : 'Gone'}: ${manyOf(generations.length, 'generation')}, ${manyOf(drafts, 'draft')}, ${manyOf(shards, 'shard')} (${shownBytes(freedBytes)}). In no shard any more: ${shownCount(erased)} of the documents that were taken down.\n`,
    );
  });
}
