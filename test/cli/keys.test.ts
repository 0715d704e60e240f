/** `dkv keys`: a key is printed once, and refused after it is revoked. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyFile } from '../../src/server/keys.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

let cwd: string;
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  dkv(['keys', args[0]!, '--file', 'keys.json', ...args.slice(1)], { cwd, env });
const accept = async (key: string) => (await KeyFile.open(path.join(cwd, 'keys.json'))).accept(key);

beforeEach(async () => {
  cwd = await temporaryFolder();
});

describe('dkv keys', () => {
  it('prints a key alone, lists it without it, and revokes it', async () => {
    const made = await run([
      'create',
      '--tenant',
      'acme',
      '--scope',
      'read',
      '--scope',
      'write',
      '--expires',
      '90d',
      '--note',
      'the web shop',
    ]);
    expect(made.exitCode, made.stderr).toBe(0);
    expect(made.stdout).toMatch(/^dkv_[a-z0-9]{12}_[0-9a-f]{64}\n$/);
    expect(made.stderr).toMatch(/^Key \w{12} of the new tenant acme: read, write until 20/);
    const key = made.stdout.trim();
    const secret = key.slice(17);
    expect(made.stderr).not.toContain(secret);
    const { expiresAt, id } = JSON.parse(await readFile(path.join(cwd, 'keys.json'), 'utf8')).keys.map(
      (record: Record<string, string>) => ({ expiresAt: Date.parse(record.expires_at!), id: record.id }),
    )[0];
    expect(Math.abs(expiresAt - Date.now() - 90 * 86_400_000)).toBeLessThan(600_000);
    expect(await accept(key)).toMatchObject({ tenant: 'acme', keyId: id });

    const listed = await run(['list']);
    expect(listed.stdout).toMatch(
      /^\w{12} {2}acme {2}read, write {2}valid until 20\S+; the web shop\n1 key of 1 tenant, 1 valid\.\n$/,
    );
    expect((await run(['revoke', id])).stdout).toBe(`${id} of tenant acme: revoked.\n`);
    expect((await run(['revoke', id])).stdout).toContain('was revoked before');
    await expect(accept(key)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect((await run(['list'])).stdout).toContain('revoked since 20');
  });

  it('takes over the documents of a store that was primed with a salt, or without one', async () => {
    const salted = await run(['create', '--tenant', 'acme', '--salt-from-env', 'ACME_SALT', '--json'], {
      ACME_SALT: 'pinch',
    });
    expect((await accept(JSON.parse(salted.stdout).key)).tenantSalt).toBe('pinch');
    expect(salted.stdout).not.toContain('pinch');
    const plain = await run(['create', '--tenant', 'ads', '--unsalted', '--tokens-per-minute', '9', '--json']);
    expect(JSON.parse(plain.stdout)).toMatchObject({
      new_tenant: true,
      limits: { tokens_per_minute: 9 },
      scopes: ['read'],
    });
    expect((await accept(JSON.parse(plain.stdout).key)).tenantSalt).toBe('');
  });

  it.each([
    [['create', '--tenant', 'a b'], 'expected a tenant’s name'],
    [['create', '--tenant', 'acme', '--scope', 'root'], 'Allowed choices are read, write, admin'],
    [['create', '--tenant', 'acme', '--expires', 'tomorrow'], 'Expected a time from now'],
    [['create', '--tenant', 'acme', '--expires', '2020-01-01'], 'That is over already'],
    [['create', '--tenant', 'acme', '--expires', '999999999999d'], 'Expected a time from now'],
    [['create', '--tenant', 'acme', '--pairs-per-minute', '0'], 'Expected a whole number'],
    [['create', '--tenant', 'acme', '--salt-from-env', 'NO_SUCH'], 'has no such variable'],
    [['create', '--tenant', 'acme', '--salt-from-env', 'NO_SUCH', '--unsalted'], 'cannot be used with'],
    [['list'], 'no such file'],
    [['revoke', 'x'], 'no key with the id "x"'],
  ])('%j is refused', async (args, says) => {
    const { exitCode, stderr, stdout } = await run(args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(says);
  });

  it('says which field of a damaged file is wrong', async () => {
    await writeFile(path.join(cwd, 'keys.json'), '{"format":1,"tenants":{},"keys":[{}]}');
    const { exitCode, stderr } = await run(['list']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('keys.json is not a file of keys: keys.0.id: expected text, found nothing');
  });
});
