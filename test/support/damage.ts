/** Changes what a store holds behind its back, in each storage. */
import { open as openFile } from 'node:fs/promises';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import type { S3Options } from '../../src/store/backends/address.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import { GenerationReader } from '../../src/store/generations/layers.js';
import type { Generation } from '../../src/store/generations/manifest.js';
import { clientOf } from './s3-client.js';

export type Change = (bytes: Uint8Array) => Uint8Array;

export interface Damager {
  record(key: string, change: Change): Promise<void>;
  /** What an id points to, or a note. @param slot its name in the storage */
  slot(slot: string, change: Change): Promise<void>;
}

/** Of one bit, in the middle. */
export function flipped(bytes: Uint8Array): Uint8Array {
  const at = bytes.length >> 1;
  return bytes.with(at, bytes[at]! ^ 4);
}

export function lmdbDamager(folder: string): Damager {
  const inTable = (name: string) => async (key: string, change: Change) => {
    const root = open({ path: folder, noSubdir: false, maxDbs: 12, encoding: 'binary' });
    const table = root.openDB<Buffer, string>({ name, encoding: 'binary' });
    await table.put(key, Buffer.from(change(new Uint8Array(table.getBinary(key)!))));
    await root.close();
  };
  return { record: inTable('records'), slot: inTable('documents') };
}

export function redisDamager(port: number, prefix: string): Damager {
  const withClient = async (work: (client: Redis) => Promise<unknown>) => {
    const client = new Redis(port);
    await work(client);
    client.disconnect();
  };
  return {
    record: (key, change) =>
      withClient(async (client) => {
        const name = `{${prefix}}:r:${key}`;
        await client.set(name, Buffer.from(change((await client.getBuffer(name))!)));
      }),
    slot: (slot, change) =>
      withClient(async (client) => {
        const name = `{${prefix}}:documents`;
        await client.hset(name, slot, Buffer.from(change((await client.hgetBuffer(name, slot))!)));
      }),
  };
}

/** Changes records in the shards of a generation, which keep their lengths. */
export function packedDamager(folder: string, generation: Generation): Damager['record'] {
  return async (key, change) => {
    const files = new FolderFiles(folder);
    for await (const { places, shard } of new GenerationReader(files, generation).documents()) {
      const place = places.get(key);
      if (!place) continue;
      const file = path.join(folder, shard.name);
      const handle = await openFile(file, 'r+');
      const bytes = Buffer.alloc(place.length);
      await handle.read(bytes, 0, place.length, place.offset);
      await handle.write(change(bytes), 0, place.length, place.offset);
      await handle.close();
      break;
    }
    await files.close();
  };
}

/** @param place bucket and prefix */
export function s3Damager({ options }: { readonly options: S3Options }, place: string): Damager {
  const [, Bucket, prefix] = /^([^/]+)\/(.*)$/.exec(place)!;
  const ofObject = (folder: string) => async (name: string, change: Change) => {
    const client = clientOf(options);
    const object = { Bucket, Key: `${prefix}/${folder}/${name}` };
    const { Body, Metadata } = await client.send(new GetObjectCommand(object));
    const changed = change(await Body!.transformToByteArray());
    await client.send(new PutObjectCommand({ ...object, Body: changed, Metadata }));
    client.destroy();
  };
  return { record: ofObject('records'), slot: ofObject('documents') };
}
