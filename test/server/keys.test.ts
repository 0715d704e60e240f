/** The file of keys: what it holds, what is refused, and that a server follows its changes. */
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DkvError, messageOf } from '../../src/base/errors.js';
import { createKey, revokeKey } from '../../src/server/key-changes.js';
import { idOfKey, type KeyRecord, type Keys, keysText, newKey, parseKeys } from '../../src/server/key-records.js';
import { KeyFile } from '../../src/server/keys.js';
import { KEY_SCOPES } from '../../src/wire/keys.js';
import { temporaryFolder } from '../support/fixtures.js';

const NEVER = { onChange: (error: DkvError | undefined) => expect(error).toBe('never') };

async function newFile(): Promise<string> {
  return path.join(await temporaryFolder(), 'keys.json');
}

/** A key file whose clocks stand still until they are moved. */
async function opened(file: string, told: (DkvError | undefined)[] = []) {
  const clock = { now: Date.parse('2026-11-01T00:00:00Z'), ticks: 0 };
  const keys = await KeyFile.open(file, {
    now: () => clock.now,
    ticks: () => clock.ticks,
    onChange: (error) => told.push(error),
  });
  return { keys, clock };
}

async function refused(keys: KeyFile, key: string | undefined): Promise<string> {
  const error = await keys.accept(key).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
  return messageOf(error);
}

describe('a file of keys', () => {
  it('has digests, and neither keys nor rights of others', async () => {
    const file = await newFile();
    const { key, record, isNewTenant } = await createKey(file, { tenant: 'acme', scopes: ['write', 'write'] });
    expect(isNewTenant).toBe(true);
    expect(key.reveal()).toMatch(/^dkv_[a-z0-9]{12}_[0-9a-f]{64}$/);
    expect(`${key} ${JSON.stringify(key)} ${inspect(key)}`).not.toContain(key.reveal());
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(key.reveal().slice(-64));
    expect(JSON.parse(text)).toMatchObject({
      format: 1,
      tenants: { acme: { salt: expect.stringMatching(/^[0-9a-f]{32}$/) } },
      keys: [{ id: record.id, tenant: 'acme', scopes: ['write'], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    // Nothing is left beside it.
    expect(await readdir(path.dirname(file))).toEqual(['keys.json']);
  });

  it('keeps its owner’s rights alone when it is written again, and stays where a link leads', async () => {
    const file = await newFile();
    const link = path.join(path.dirname(file), 'link.json');
    await createKey(file, { tenant: 'acme', scopes: ['read'] });
    await chmod(file, 0o644);
    await symlink('keys.json', link);
    await createKey(link, { tenant: 'acme', scopes: ['read'] });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(parseKeys(await readFile(file, 'utf8'), file).keys).toHaveLength(2);
  });

  it('loses nothing of what several write at a time', async () => {
    const file = await newFile();
    const made = await Promise.all(['a', 'b', 'c', 'a'].map((tenant) => createKey(file, { tenant, scopes: ['read'] })));
    const { keys } = await opened(file);
    for (const { key, record } of made) expect((await keys.accept(key.reveal())).tenant).toBe(record.tenant);
    expect(made.filter(({ isNewTenant }) => isNewTenant)).toHaveLength(3);
    expect(new Set(keys.tenants.values()).size).toBe(3);
  });

  it('takes a salt for a new tenant, and neither another one later nor that of another tenant', async () => {
    const file = await newFile();
    await createKey(file, { tenant: 'acme', scopes: ['read'], salt: 'of acme' });
    await createKey(file, { tenant: 'acme', scopes: ['read'], salt: 'of acme' });
    const { key } = await createKey(file, { tenant: 'ads', scopes: ['read'], salt: '' });
    const before = await readFile(file, 'utf8');
    const attempts: [tenant: string, salt: string, says: RegExp][] = [
      ['acme', 'another', /tenant acme has another salt/],
      ['other', 'of acme', /is that of tenant acme/],
      ['other', '', /is that of tenant ads/],
      ['other', 'notes:', /tenant other: salt: expected a salt that does not begin with notes:/],
      ['other', 'x'.repeat(257), /expected at most 256 characters/],
      ['__proto__', 'x', /expected a tenant’s name/],
      ['../other', 'x', /expected a tenant’s name/],
    ];
    for (const [tenant, salt, says] of attempts) {
      const attempt = createKey(file, { tenant, scopes: ['read'], salt });
      await expect(attempt).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringMatching(says) });
    }
    expect(await readFile(file, 'utf8')).toBe(before);
    const { keys } = await opened(file);
    expect(await keys.accept(key.reveal())).toMatchObject({ tenant: 'ads', tenantSalt: '' });
  });

  it('is read as it was written', () => {
    const time = fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') })
      .map((at) => at.toISOString());
    const limit = fc.option(fc.integer({ min: 1, max: 1e12 }), { nil: undefined });
    const tenant = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/).filter((name) => name.length <= 64);
    const record = fc.record(
      {
        tenant,
        sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
        scopes: fc.uniqueArray(fc.constantFrom(...KEY_SCOPES), { minLength: 1 }),
        createdAt: time,
        limits: fc.record({ pairsPerMinute: limit, tokensPerMinute: limit }, { requiredKeys: [] }),
        expiresAt: time,
        revokedAt: time,
        note: fc.string({ unit: 'grapheme' }),
      },
      { requiredKeys: ['tenant', 'sha256', 'scopes', 'createdAt'] },
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), (records) => {
        const keys = records.map((each, at) => ({ ...each, id: String(at).padStart(12, 'a') })) as KeyRecord[];
        const tenants = Object.fromEntries(keys.map(({ tenant: name }) => [name, { salt: `of ${name}` }]));
        const file: Keys = { format: 1, tenants, keys };
        expect(parseKeys(keysText(file), 'keys.json')).toEqual(file);
      }),
    );
  });

  it('is refused with its name, the field and what was expected there', async () => {
    const file = await newFile();
    await createKey(file, { tenant: 'acme', scopes: ['read'] });
    const whole = JSON.parse(await readFile(file, 'utf8'));
    const [key] = whole.keys;
    const withKey = (changes: object) => ({ ...whole, keys: [{ ...key, ...changes }] });
    const edits: [edited: object, says: string][] = [
      [{ ...whole, format: 2 }, 'format: expected 1, found 2'],
      [{ ...whole, tenants: undefined }, 'tenants: expected an object, found nothing'],
      [withKey({ scopes: ['root'] }), 'keys.0.scopes.0: expected "read", "write" or "admin", found "root"'],
      [withKey({ scopes: [] }), 'keys.0.scopes: expected at least 1 entry'],
      [withKey({ sha256: `${key.sha256}a` }), 'keys.0.sha256: expected 64 digits of 0-9 and a-f'],
      [withKey({ key: 'x' }), 'keys.0: unknown field "key"'],
      [withKey({ expires_at: 'soon' }), 'keys.0.expires_at: expected a date and time of ISO 8601'],
      [withKey({ limits: { pairs_per_minute: 0.5 } }), 'keys.0.limits.pairs_per_minute: expected a whole number'],
      [withKey({ tenant: 'other' }), 'keys.0.tenant: expected one of the tenants of this file, found "other"'],
      [{ ...whole, keys: [key, key] }, 'keys.1.id: expected each id once'],
      [
        { ...whole, tenants: { ...whole.tenants, other: whole.tenants.acme } },
        'tenants.other.salt: expected another salt than that of acme',
      ],
    ];
    for (const [edited, says] of edits) {
      const read = () => parseKeys(JSON.stringify(edited), file);
      expect(read).toThrow(DkvError);
      expect(read).toThrow(`${file} is not a file of keys: ${says}`);
      expect(read).not.toThrow(whole.tenants.acme.salt);
    }
  });

  it('is refused whatever else it holds, and never with a stack or a salt', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => parseKeys(text, 'keys.json')).toThrow(/^keys\.json is not a file of keys: .*\.$/s);
      }),
    );
  });

  it('is not written over where it is damaged', async () => {
    const file = await newFile();
    await writeFile(file, '{"format": 1');
    await expect(createKey(file, { tenant: 'acme', scopes: ['read'] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(await readFile(file, 'utf8')).toBe('{"format": 1');
  });
});

describe('a key', () => {
  it('gives its tenant, and what follows from its scopes', async () => {
    const file = await newFile();
    const limits = { pairsPerMinute: 5 };
    const all = await Promise.all(
      KEY_SCOPES.map(async (scope) =>
        (await createKey(file, { tenant: 'acme', scopes: [scope], limits })).key.reveal(),
      ),
    );
    const keys = await KeyFile.open(file, NEVER);
    const holders = await Promise.all(all.map((key) => keys.accept(key)));
    expect(holders.map(({ scope }) => scope)).toEqual(KEY_SCOPES);
    expect(holders.map(({ keyId }) => keyId)).toEqual(all.map(idOfKey));
    expect(holders[0]).toMatchObject({ tenant: 'acme', tenantSalt: keys.tenants.get('acme'), limits });
    expect(keys.size).toBe(3);
  });

  it('is accepted as a whole or not at all, and is not in what is said', async () => {
    const file = await newFile();
    const { key } = await createKey(file, { tenant: 'acme', scopes: ['read'] });
    const whole = key.reveal();
    const keys = await KeyFile.open(file, NEVER);
    const other = newKey().key;
    const flipped = whole.slice(0, -1) + (whole.endsWith('0') ? '1' : '0');
    const wrong = [
      other,
      flipped,
      whole.slice(0, 17) + other.slice(17),
      whole.toUpperCase(),
      ` ${whole}`,
      whole.slice(0, -1),
      `${whole}a`,
      '',
    ];
    for (const each of wrong) {
      const says = await refused(keys, each);
      if (each.length > 20) expect(says).not.toContain(each.trim().slice(17));
      // Nor is said which ids there are to whoever has no key.
      expect(says).not.toMatch(/revoked|expired/);
    }
    expect(await refused(keys, flipped)).toBe((await refused(keys, other)).replace(idOfKey(other)!, idOfKey(whole)!));
    expect(await refused(keys, undefined)).toContain('authorization: Bearer');
    await fc.assert(fc.asyncProperty(fc.string(), async (text) => void (await refused(keys, text))));
    await keys.accept(whole);
  });

  it('expires', async () => {
    const file = await newFile();
    await createKey(file, { tenant: 'acme', scopes: ['read'] });
    const { keys: before, clock } = await opened(file);
    expect(before.size).toBe(1);
    const { key } = await createKey(file, { tenant: 'acme', scopes: ['read'], expiresAt: clock.now + 10_000 });
    const { keys, clock: later } = await opened(file);
    await keys.accept(key.reveal());
    later.now += 10_000;
    expect(await refused(keys, key.reveal())).toContain('expired at 2026-11-01T00:00:10.000Z');
    expect(keys.size).toBe(1);
  });

  it('that is revoked is refused at the next look, a second after the last at most', async () => {
    const file = await newFile();
    const { key, record } = await createKey(file, { tenant: 'acme', scopes: ['read'] });
    const { keys, clock } = await opened(file);
    const { isNew } = await revokeKey(file, record.id, Date.parse('2026-11-02T00:00:00Z'));
    expect(isNew).toBe(true);
    clock.ticks += 999;
    await keys.accept(key.reveal());
    clock.ticks += 1;
    // Both ask before the file is read again.
    const both = await Promise.all([refused(keys, key.reveal()), refused(keys, key.reveal())]);
    expect(both[1]).toContain('was revoked at 2026-11-02T00:00:00.000Z');
    // Again, by the key itself: nothing changes.
    const again = await revokeKey(file, key.reveal());
    expect(again).toMatchObject({ isNew: false, record: { revokedAt: '2026-11-02T00:00:00.000Z' } });
    await expect(revokeKey(file, `${record.id.slice(0, -1)}-`)).rejects.toThrow(`Did you mean "${record.id}"?`);
  });
});

describe('a running server', () => {
  it('keeps the last good keys while the file is damaged or gone, and says so once', async () => {
    const file = await newFile();
    const { key } = await createKey(file, { tenant: 'acme', scopes: ['read'] });
    const told: (DkvError | undefined)[] = [];
    const { keys, clock } = await opened(file, told);
    const good = await readFile(file, 'utf8');
    const next = async () => {
      clock.ticks += 1000;
      await keys.accept(key.reveal());
    };
    await writeFile(file, good.slice(0, -20));
    for (let i = 0; i < 3; i++) await next();
    expect(told).toEqual([expect.objectContaining({ code: 'INPUT_INVALID' })]);
    expect(told[0]!.message).toMatch(/keys\.json is not a file of keys.*The keys read before stay in use\./s);
    await rm(file);
    await next();
    await next();
    expect(told[1]!.message).toContain('no such file');
    await mkdir(file);
    await next();
    expect(told[2]!.message).toContain('The keys read before stay in use.');
    await rm(file, { recursive: true });
    await writeFile(file, good);
    await next();
    expect(told.slice(3)).toEqual([undefined]);
    // A key that is made meanwhile is known.
    const { key: later } = await createKey(file, { tenant: 'acme', scopes: ['read'] });
    clock.ticks += 1000;
    await keys.accept(later.reveal());
  });

  it('does not begin without a file, or with another one', async () => {
    const file = await newFile();
    await expect(KeyFile.open(file)).rejects.toThrow('dkv keys create --file');
    await writeFile(file, '[]');
    await expect(KeyFile.open(file)).rejects.toThrow('is not a file of keys: expected an object, found an empty list');
  });
});
