/**
 * What to say of a repository on the hub that lacks files which it takes to run it: what it has in their place, and which of its branches and pull
 * requests have them. Brings no file. The error has the code of a folder that lacks them: the hub has the repository, which is no whole checkpoint.
 */
import { DkvError } from '../base/errors.js';
import type { HubClient, Reference } from '../hub/client.js';
import { SAVE_ANEW, tokenizerInstead, weightsInstead } from '../model/files/other-forms.js';

export interface Lack {
  readonly repository: string;
  readonly commit: string;
  /** The paths of the files that are there. */
  readonly present: readonly string[];
  /** Lists the needed files that a list of paths lacks. */
  readonly lackingOf: (paths: readonly string[]) => readonly string[];
}

/** Popular repositories have hundreds of pull requests; a converted copy is among the first. */
const MOST_REFERENCES = 40;
const AT_ONCE = 8;

/** @throws DkvError CANCELLED */
export async function unusableRepository(client: HubClient, lack: Lack, signal?: AbortSignal): Promise<DkvError> {
  const { repository, commit, present, lackingOf } = lack;
  const lacking = lackingOf(present);
  const what = `${repository} at ${commit.slice(0, 7)} has no ${lacking.join(' and no ')}`;
  const error = (words: string) => new DkvError('CHECKPOINT_INVALID', `${what}: ${words}`);
  const instead = [
    ...(lacking.some((name) => name.includes('safetensors')) ? [weightsInstead(present)] : []),
    ...(lacking.includes('tokenizer.json') ? [tokenizerInstead(present)] : []),
  ].filter((words) => words !== undefined);
  // A model of another kind altogether: nothing of it is expected elsewhere.
  if (lacking.includes('config.json') || instead.length === 0) {
    return error('it is no checkpoint in Hugging Face form, or its files have other names.');
  }
  return error(`${instead.join(', and ')}. ${await whereElse(client, lack, signal)}`);
}

async function whereElse(client: HubClient, lack: Lack, signal?: AbortSignal): Promise<string> {
  const { repository } = lack;
  const page = client.discussionsPage(repository);
  let looked: Awaited<ReturnType<typeof lookAround>>;
  try {
    looked = await lookAround(client, lack, signal);
  } catch (error) {
    if (error instanceof DkvError && error.code === 'CANCELLED') throw error;
    return `Pull requests at ${page} may have what is missing; one of them is --model ${repository}@refs/pr/N. ${SAVE_ANEW}`;
  }
  const { found, seen, unseen } = looked;
  if (found) {
    const [, request] = /^refs\/pr\/(\d+)$/.exec(found) ?? [];
    const caution = request ? `, a pull request, which anybody may make: see ${page}/${request} for who did` : '';
    return `All that it takes stands at ${found}${caution}. Take it by --model ${repository}@${found}.`;
  }
  const rest = unseen > 0 ? ` (${unseen} more were not looked at: ${page})` : '';
  if (seen === 0) return `It has no other branches and no pull requests. ${SAVE_ANEW}`;
  return `None of its ${seen} other branches and pull requests has all that it takes${rest}. ${SAVE_ANEW}`;
}

/** The first branch or pull request that lacks nothing. */
async function lookAround(client: HubClient, { repository, commit, lackingOf }: Lack, signal?: AbortSignal) {
  const others = (await client.references(repository, signal)).filter((reference) => reference.commit !== commit);
  const looked = others.slice(0, MOST_REFERENCES);
  const isWhole = async ({ name }: Reference) => {
    const { files } = await client.revision(repository, name, signal);
    return lackingOf(files.map(({ path }) => path)).length === 0;
  };
  for (let first = 0; first < looked.length; first += AT_ONCE) {
    const some = looked.slice(first, first + AT_ONCE);
    const whole = await Promise.all(some.map(isWhole));
    const found = some.find((_, i) => whole[i]);
    if (found) return { found: found.name, seen: 0, unseen: 0 };
  }
  return { found: undefined, seen: looked.length, unseen: others.length - looked.length };
}
