/** Writes with a condition whose answer is lost on the way, on any S3 server: the client repeats them, and they must not be told that they lost to themselves. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { S3Address } from '../../src/store/backends/address.js';
import { S3Files } from '../../src/store/generations/s3-files.js';
import { type BreakingProxy, startBreakingProxy } from '../support/breaking-proxy.js';
import { freshAddress, type S3Place } from '../support/s3-suites.js';

const FILE = 'aliases/live.json';

/** @param place is called when the server has been started */
export function describeLostAnswers(place: () => S3Place): void {
  describe('answers that are lost', () => {
    let proxy: BreakingProxy;
    let address: S3Address;
    let files: S3Files;
    let others: S3Files;
    beforeEach(async () => {
      const { options } = place();
      proxy = await startBreakingProxy(options.endpoint!);
      address = freshAddress(place());
      files = new S3Files(address, 60_000, { ...options, endpoint: proxy.endpoint });
      others = new S3Files(address, 60_000, options);
      // Neither the trial of conditions nor the connection is what is lost below.
      await files.create('audit/first.json', Buffer.from('first'));
    });
    afterEach(async () => {
      await Promise.all([files.close(), others.close()]);
      await proxy.stop();
    });
    const lose = (times: number) => {
      proxy.lose = { beginning: 'PUT /', times };
    };
    const text = async () => (await others.read(FILE))?.bytes.toString();

    it.each([1, 2])('knows the file that it created itself, after %i of them', async (times) => {
      lose(times);
      expect(await files.create(FILE, Buffer.from('1'))).toBe(true);
      expect(proxy.lose.times).toBe(0);
      expect(await text()).toBe('1');
    });

    it.each([1, 2])('knows the version that it wrote itself, after %i of them', async (times) => {
      await others.create(FILE, Buffer.from('1'));
      const { version } = (await files.read(FILE))!;
      lose(times);
      expect(await files.replace(FILE, Buffer.from('2'), version)).toBe(true);
      expect(proxy.lose.times).toBe(0);
      expect(await text()).toBe('2');
    });

    it('still loses to another writer, of the same bytes too', async () => {
      await others.create(FILE, Buffer.from('1'));
      const { version } = (await files.read(FILE))!;
      await others.replace(FILE, Buffer.from('2'), version);
      for (const bytes of ['2', '3'].map((number) => Buffer.from(number))) {
        lose(1);
        expect(await files.replace(FILE, bytes, version)).toBe(false);
        lose(1);
        expect(await files.create(FILE, bytes)).toBe(false);
      }
      expect(await text()).toBe('2');
    });

    it('fails when all of them are lost, with the file written', async () => {
      lose(3);
      await expect(files.create(FILE, Buffer.from('1'))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
      expect(await text()).toBe('1');
    });
  });
}
