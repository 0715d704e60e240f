/** From a model's name on the hub to a folder with the files that it takes to run it. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { COMMIT, RepositoryCache } from '../hub/cache.js';
import { HubClient, type ListedFile } from '../hub/client.js';
import { type PullOptions, pullFiles } from '../hub/pull.js';
import type { HubSettings } from '../hub/settings.js';
import { INDEX, readIndex, SINGLE } from '../model/checkpoint.js';
import { readConfig } from '../model/families/families.js';
import { unusableRepository } from './unusable-repository.js';

export interface ModelReference {
  /** The repository, as `organisation/name`. */
  readonly repository: string;
  /** A branch, tag or commit. */
  readonly revision: string;
}

export interface PulledModel {
  readonly directory: string;
  readonly repository: string;
  /** The commit that the revision stood for. Results are stored under it, never under a branch. */
  readonly commit: string;
}

export interface PullModelOptions extends PullOptions {
  /** This callback receives notices: things that the user should know and that are no errors. */
  readonly onNotice?: (notice: string) => void;
}

const REQUIRED = ['config.json', 'tokenizer.json'];
const OPTIONAL = [
  'generation_config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'README.md',
];

/** Reads `organisation/name` or `organisation/name@revision`; undefined for anything else, such as a path. */
export function parseModelReference(text: string): ModelReference | undefined {
  const [, repository, revision] = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w./-]+))?$/.exec(text) ?? [];
  return repository ? { repository, revision: revision ?? 'main' } : undefined;
}

/**
 * Makes sure that a model's files are in the cache: config, tokenizer, the shards that hold text tensors, the card.
 * @throws DkvError HUB_NOT_FOUND, HUB_DENIED, HUB_OFFLINE, HUB_UNREACHABLE, DOWNLOAD_DAMAGED, DISK_FULL, CANCELLED; CHECKPOINT_INVALID for a repository that
 *   lacks files, before any is brought; that or MODEL_UNSUPPORTED for a config.json, before weights are
 */
export async function pullModel(
  { repository, revision }: ModelReference,
  settings: HubSettings,
  options: PullModelOptions = {},
): Promise<PulledModel> {
  const cache = new RepositoryCache(settings.cacheDirectory, repository);
  const known = await cache.knownCommit(revision);
  const complete = known !== undefined && (await missingFiles(cache, known)).length === 0;
  const fromCache = (commit: string): PulledModel => ({ directory: cache.snapshot(commit), repository, commit });
  // A commit never changes: what is there needs no question to the hub.
  if (complete && COMMIT.test(revision) && known.startsWith(revision)) return fromCache(known);
  if (settings.offline) {
    if (complete) return fromCache(known);
    throw offlineError(settings, repository, revision, cache, known ? await missingFiles(cache, known) : undefined);
  }
  const client = new HubClient(settings);
  try {
    const { commit, files } = await client.revision(repository, revision, options.signal);
    await pullNeeded(client, cache, repository, commit, files, options);
    await cache.rememberCommit(revision, commit);
    return fromCache(commit);
  } catch (error) {
    if (!complete || !(error instanceof DkvError) || error.code !== 'HUB_UNREACHABLE') throw error;
    options.onNotice?.(`${error.message} Using ${repository} as it was at ${known}.`);
    return fromCache(known);
  }
}

async function pullNeeded(
  client: HubClient,
  cache: RepositoryCache,
  repository: string,
  commit: string,
  files: readonly ListedFile[],
  options: PullModelOptions,
): Promise<void> {
  const byPath = new Map(files.map((file): [string, ListedFile] => [file.path, file]));
  const present = [...byPath.keys()];
  if (lackingOf(present).length > 0) {
    throw await unusableRepository(client, { repository, commit, present, lackingOf }, options.signal);
  }
  const bring = async (names: readonly string[]) => {
    const wanted = names.map((name) => {
      const file = byPath.get(name);
      if (file) return client.describe(repository, commit, file, options.signal);
      throw new DkvError(
        'CHECKPOINT_INVALID',
        `${repository}: ${INDEX} names ${name}, which the repository does not have.`,
      );
    });
    const described = await Promise.all(wanted);
    for (const file of described) byPath.set(file.path, file);
    await pullFiles(client, cache, repository, commit, described, options);
  };
  const snapshot = cache.snapshot(commit);
  const isSharded = !byPath.has(SINGLE);
  const small = [...REQUIRED, ...OPTIONAL.filter((name) => byPath.has(name)), ...(isSharded ? [INDEX] : [])];
  await bring(small);
  // A model of another architecture is refused before its weights are brought.
  await readConfig(snapshot);
  await bring([...small, ...(isSharded ? await textShards(path.join(snapshot, INDEX)) : [SINGLE])]);
}

/** The files needed to run a model that a list of paths lacks. */
function lackingOf(paths: readonly string[]): string[] {
  const weights = paths.includes(INDEX) ? [] : [SINGLE];
  return [...REQUIRED, ...weights].filter((name) => !paths.includes(name));
}

/** The files needed to run a model that a snapshot lacks. */
async function missingFiles(cache: RepositoryCache, commit: string): Promise<string[]> {
  const names = [...REQUIRED];
  const isSharded = !(await cache.has(commit, SINGLE)) && (await cache.has(commit, INDEX));
  if (isSharded) names.push(...(await textShards(path.join(cache.snapshot(commit), INDEX))));
  else names.push(SINGLE);
  const present = await Promise.all(names.map((name) => cache.has(commit, name)));
  return names.filter((_, i) => !present[i]);
}

/** The shards that hold a tensor of the text model. */
async function textShards(indexFile: string): Promise<string[]> {
  return [...new Set((await readIndex(indexFile)).map(([, file]) => file))];
}

function offlineError(
  settings: HubSettings,
  repository: string,
  revision: string,
  cache: RepositoryCache,
  missing: readonly string[] | undefined,
): DkvError {
  const what = missing
    ? `lacks ${missing.join(', ')} of ${repository} at ${revision}`
    : `has nothing of ${repository} at ${revision}`;
  return new DkvError(
    'HUB_OFFLINE',
    settings.offlineSource
      ? `${settings.offlineSource} is set and ${cache.directory} ${what}. Unset it and run "dkv models pull ${repository}" once.`
      : `${cache.directory} ${what}.`,
  );
}
