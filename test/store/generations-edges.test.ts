/** What a catalogue does about time, other tenants and leases that cannot be read. */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openCatalogue } from '../../src/store/generations/catalogue-store.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';

async function made(tenantSalt = '', expiresAt?: number) {
  const folder = path.join(await temporaryFolder(), 'catalogue');
  const source = await openStore('memory:', { tenantSalt });
  await source.putDocument('lasting', { bare: recordOf(1) });
  await source.putDocument('passing', { bare: recordOf(2) }, expiresAt === undefined ? {} : { expiresAt });
  const catalogue = await openCatalogue(folder, { create: true, tenantSalt });
  const { generation } = await catalogue.pack(source);
  await catalogue.publish(generation.id);
  await source.close();
  return { folder, catalogue, id: generation.id };
}

it('leaves out what has expired when it is compacted', async () => {
  const expiresAt = Date.now() + 1500;
  const { catalogue, id } = await made('', expiresAt);
  await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 20));
  const { generation } = await catalogue.compact(id);
  expect(generation.manifest.documents).toBe(1);
  await catalogue.close();
});

it('takes nothing down of another tenant', async () => {
  const { folder, catalogue } = await made('acme');
  const other = await openCatalogue(folder);
  await expect(other.takeDown(['passing'])).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
  expect(await catalogue.takeDown(['passing'])).toMatchObject([{ status: 'hidden', generations: 1 }]);
  await Promise.all([catalogue.close(), other.close()]);
});

it('holds a generation by a damaged lease for as long as a lease lasts', async () => {
  const { folder, catalogue, id } = await made();
  const lease = path.join(folder, 'leases', id, 'reader.json');
  await mkdir(path.dirname(lease), { recursive: true });
  await writeFile(lease, 'junk');
  expect((await catalogue.collect({ minimumAgeMs: -5000 })).generations).toEqual([]);
  const before = new Date(Date.now() - 3_600_000);
  await utimes(lease, before, before);
  expect((await catalogue.collect({ minimumAgeMs: -5000 })).generations).toEqual([id]);
  await catalogue.close();
});
