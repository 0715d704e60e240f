/** Damaged or missing files of a catalogue, fetched from another copy of it where they are what they should be. */
import { messageOf } from '../../base/errors.js';
import { isDamage } from '../records/damage.js';
import { decodeAlias } from './aliases.js';
import { decodeAudit } from './audit.js';
import { readGeneration } from './catalogue.js';
import { decodeChecked } from './checked-json.js';
import type { CatalogueFiles } from './files.js';
import { decodeManifest } from './manifest.js';
import {
  decodeTakedowns,
  TAKEDOWNS_HEAD,
  takedownName,
  takedownNumberIn,
  takedownNumbers,
  takedownsHeadSchema,
} from './takedowns.js';
import { inTurn } from './turns.js';
import { type DamagedFile, shardFault } from './verify.js';

export interface RepairedFile {
  readonly name: string;
  readonly isRepaired: boolean;
  /** What stays wrong, or what is so now. */
  readonly reason: string;
}

/** What is damaged is repaired in this order: an alias wants the generation that it names. */
const ORDER: readonly DamagedFile['kind'][] = ['shard', 'generation', 'draft', 'takedowns', 'alias', 'audit'];

/** @throws DkvError STORE_BUSY, and what the files throw */
export async function repairFrom(
  files: CatalogueFiles,
  from: CatalogueFiles,
  damaged: readonly DamagedFile[],
): Promise<RepairedFile[]> {
  const repaired: RepairedFile[] = [];
  for (const kind of ORDER) {
    for (const { name } of damaged.filter((file) => file.kind === kind)) {
      repaired.push({ name, ...(await repairOne(files, from, kind, name)) });
    }
  }
  return repaired;
}

async function repairOne(
  files: CatalogueFiles,
  from: CatalogueFiles,
  kind: DamagedFile['kind'],
  name: string,
): Promise<Omit<RepairedFile, 'name'>> {
  const bytes = (await from.read(name))?.bytes;
  if (!bytes) return { isRepaired: false, reason: `${from.location} has no ${name} either` };
  try {
    const fault = await faultOf(files, from, kind, name, bytes);
    if (fault !== undefined) return { isRepaired: false, reason: fault };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { isRepaired: false, reason: `in ${from.location}, too: ${messageOf(error)}` };
  }
  const put = () => files.put(name, bytes);
  await (kind === 'alias' ? inTurn(files, `repair ${name}`, put) : put());
  const names = kind === 'alias' ? `; it names generation ${decodeAlias(bytes, name).generation}` : '';
  return { isRepaired: true, reason: `${name} is as in ${from.location}${names}` };
}

/** Why a file of the other copy will not do; undefined where it does. @throws DkvError STORE_DAMAGED */
async function faultOf(
  files: CatalogueFiles,
  from: CatalogueFiles,
  kind: DamagedFile['kind'],
  name: string,
  bytes: Buffer,
): Promise<string | undefined> {
  switch (kind) {
    case 'shard': {
      const fault = shardFault(name, bytes);
      return fault && `in ${from.location}, too, ${name} ${fault}`;
    }
    case 'generation':
    case 'draft':
      decodeManifest(name.replace(/^.*\/|\.json$/g, ''), bytes);
      return undefined;
    case 'alias': {
      const { generation } = decodeAlias(bytes, name);
      if (await readGeneration(files, generation)) return undefined;
      return `in ${from.location} ${name} names generation ${generation}, which is not here`;
    }
    case 'takedowns': {
      if (name === TAKEDOWNS_HEAD) return headFault(files, from, bytes);
      decodeTakedowns(bytes, name);
      const other = await differingNeighbour(files, from, takedownNumberIn(name));
      return other && `${from.location} has other takedowns: ${other} differs, so it is a copy of another catalogue`;
    }
    case 'audit':
      decodeAudit(bytes, name);
      return undefined;
  }
}

/** The end of a list is as good as the list: all of its files have to be here, as they are in the other copy. */
async function headFault(files: CatalogueFiles, from: CatalogueFiles, bytes: Buffer): Promise<string | undefined> {
  const { count } = decodeChecked(takedownsHeadSchema, bytes, TAKEDOWNS_HEAD);
  const numbers = await takedownNumbers(files);
  if ((numbers.at(-1) ?? 0) > count) return `${from.location} has fewer takedowns than there are here`;
  for (let number = 1; number <= count; number++) {
    const [own, other] = await Promise.all([files.read(takedownName(number)), from.read(takedownName(number))]);
    if (!own && other) await files.put(takedownName(number), other.bytes);
    else if (!own || !other?.bytes.equals(own.bytes))
      return `${takedownName(number)} is another one in ${from.location}`;
  }
  return undefined;
}

/** The file of takedowns before or behind one that both catalogues have and that differs: their lists went different ways. */
async function differingNeighbour(
  files: CatalogueFiles,
  from: CatalogueFiles,
  number: number,
): Promise<string | undefined> {
  for (const name of [number - 1, number + 1].filter((near) => near > 0).map(takedownName)) {
    const [own, other] = await Promise.all([files.read(name), from.read(name)]);
    if (own && other && !own.bytes.equals(other.bytes)) return name;
  }
  return undefined;
}
