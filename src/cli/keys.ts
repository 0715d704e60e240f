/** `dkv keys`: who may ask a server for what. Makes keys, lists and revokes them; the server reads the file that they stand in. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { DkvError } from '../base/errors.js';
import { createKey, revokeKey } from '../server/key-changes.js';
import type { KeyRecord } from '../server/key-records.js';
import { keysOf, statusOf } from '../server/keys.js';
import {
  KEY_SCOPES,
  type KeyLimits,
  type KeyScope,
  keyCreatedSchema,
  keyListSchema,
  keyRevokedSchema,
} from '../wire/keys.js';
import { printJson } from './json.js';
import { duration, manyOf } from './quantities.js';

interface FileOptions {
  readonly file: string;
  readonly json: boolean;
}

interface CreateOptions extends FileOptions {
  readonly tenant: string;
  readonly scope: readonly KeyScope[];
  readonly expires?: number;
  readonly note?: string;
  readonly pairsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly saltFromEnv?: string;
  readonly unsalted: boolean;
}

export function keysCommand(): Command {
  const keys = new Command('keys').description('Make, list and revoke the keys that a server accepts.');
  const add = (usage: string, description: string, examples: string) =>
    keys
      .command(usage)
      .description(description)
      .requiredOption('--file <file>', 'the file of keys; create makes it')
      .option('--json', 'for machines', false)
      .addHelpText('after', `\nExamples:\n${examples}`);
  add(
    'create',
    'Make a key and print it. It is stored nowhere: the file has its digest alone. A tenant is made with its first key.',
    '  dkv keys create --file keys.json --tenant acme --scope read --scope write\n  dkv keys create --file keys.json --tenant acme --expires 90d --pairs-per-minute 60000\n  dkv keys create --file keys.json --tenant ads --scope admin --unsalted',
  )
    .requiredOption('--tenant <name>', 'whose documents the key is for')
    .addOption(
      new Option('--scope <scope...>', 'what it allows; admin allows write, and write allows read')
        .choices(KEY_SCOPES)
        .default(['read']),
    )
    .option('--expires <when>', 'from when on it is refused: after a time, such as 90d, or at one of ISO 8601', expiry)
    .option('--note <text>', 'what people should know about it')
    .option('--pairs-per-minute <n>', 'pairs of a query and a document (default: the server’s limit)', count)
    .option('--tokens-per-minute <n>', 'tokens of the model (default: the server’s limit)', count)
    .addOption(
      new Option(
        '--salt-from-env <name>',
        'the variable with the salt of a new tenant whose documents are primed already (default: a random salt)',
      ).conflicts('unsalted'),
    )
    .option('--unsalted', 'the new tenant’s documents are those without a salt, such as dkv prime makes', false)
    .action(create);
  add(
    'list',
    'List the keys of a file: whose they are, what they allow, and whether they are accepted now.',
    '  dkv keys list --file keys.json',
  ).action(list);
  add(
    'revoke <id>',
    'Revoke a key, named by its id or by itself. A server that runs refuses it within a second.',
    '  dkv keys revoke --file keys.json 4n0x8z2k7q1c',
  ).action(revoke);
  return keys;
}

async function create(options: CreateOptions): Promise<void> {
  const { file, tenant, scope, expires, note } = options;
  const limits: KeyLimits = {
    ...(options.pairsPerMinute !== undefined && { pairsPerMinute: options.pairsPerMinute }),
    ...(options.tokensPerMinute !== undefined && { tokensPerMinute: options.tokensPerMinute }),
  };
  const salt = saltOf(options);
  const { key, record, isNewTenant } = await createKey(file, {
    tenant,
    scopes: scope,
    limits,
    ...(expires !== undefined && { expiresAt: expires }),
    ...(note !== undefined && { note }),
    ...(salt !== undefined && { salt }),
  });
  if (options.json) {
    printJson(keyCreatedSchema, { file, key: key.reveal(), newTenant: isNewTenant, ...shown(record) });
    return;
  }
  // The key alone, so that a script can take it.
  process.stdout.write(`${key.reveal()}\n`);
  const until = record.expiresAt === undefined ? '' : ` until ${record.expiresAt}`;
  process.stderr.write(
    `Key ${record.id} of ${isNewTenant ? 'the new tenant' : 'tenant'} ${tenant}: ${record.scopes.join(', ')}${until}. This is the only time that it is shown; ${file} has its digest.\n`,
  );
}

function saltOf({ saltFromEnv, unsalted }: CreateOptions): string | undefined {
  if (saltFromEnv === undefined) return unsalted ? '' : undefined;
  const salt = process.env[saltFromEnv];
  if (salt) return salt;
  throw new DkvError(
    'INPUT_INVALID',
    `--salt-from-env ${saltFromEnv}: the environment has no such variable, or it is empty. Export it, or give --unsalted for documents that were primed without a salt.`,
  );
}

async function list({ file, json }: FileOptions): Promise<void> {
  const { tenants, keys } = await keysOf(file);
  const now = Date.now();
  const listed = keys.map((record) => ({ ...shown(record), status: statusOf(record, now) }));
  if (json) {
    printJson(keyListSchema, { file, tenants: Object.keys(tenants).sort(), keys: listed });
    return;
  }
  for (const { id, tenant, scopes, status, expiresAt, revokedAt, limits, note } of listed) {
    const since = revokedAt ?? expiresAt;
    const about = [
      since === null ? status : `${status} ${revokedAt === null && status === 'valid' ? 'until' : 'since'} ${since}`,
      ...(limits?.pairsPerMinute === undefined ? [] : [`${manyOf(limits.pairsPerMinute, 'pair')} a minute`]),
      ...(limits?.tokensPerMinute === undefined ? [] : [`${manyOf(limits.tokensPerMinute, 'token')} a minute`]),
      ...(note === null ? [] : [note]),
    ];
    process.stdout.write(`${id}  ${tenant}  ${scopes.join(', ')}  ${about.join('; ')}\n`);
  }
  const valid = listed.filter(({ status }) => status === 'valid').length;
  process.stdout.write(
    `${manyOf(listed.length, 'key')} of ${manyOf(Object.keys(tenants).length, 'tenant')}, ${valid} valid.\n`,
  );
}

async function revoke(named: string, { file, json }: FileOptions): Promise<void> {
  const { record, isNew } = await revokeKey(file, named);
  const { id, tenant, revokedAt } = record;
  if (json) printJson(keyRevokedSchema, { file, id, tenant, revokedAt, new: isNew });
  else process.stdout.write(`${id} of tenant ${tenant}: ${isNew ? 'revoked' : `was revoked before (${revokedAt})`}.\n`);
}

function shown(record: KeyRecord) {
  const { id, tenant, scopes, createdAt } = record;
  const { limits = null, expiresAt = null, revokedAt = null, note = null } = record as Partial<KeyRecord>;
  return { id, tenant, scopes, limits, createdAt, expiresAt, revokedAt, note };
}

/** A time to come, in milliseconds since 1970. */
function expiry(text: string): number {
  const isSpan = /^\d+(?:\.\d+)?[smhd]$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = isSpan ? Date.now() + duration(text) : isTime ? Date.parse(text) : Number.NaN;
  // Beyond it, JavaScript has no dates.
  if (!(Math.abs(at) <= 8.64e15)) {
    throw new InvalidArgumentError(
      'Expected a time from now, such as 90d, or a date of ISO 8601, such as 2027-01-31 or 2027-01-31T12:00:00Z.',
    );
  }
  if (at <= Date.now()) throw new InvalidArgumentError('That is over already: the key would never be accepted.');
  return at;
}

function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 1e12) return value;
  throw new InvalidArgumentError('Expected a whole number from 1 on.');
}
