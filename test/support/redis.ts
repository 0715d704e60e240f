/** A Redis server of the tests' own, without persistence, on a free port. What it writes to bring a copy up goes away with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** Where Debian's package puts it. */
export const REDIS_SERVER = '/usr/bin/redis-server';

export interface RunningRedis {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startRedis(port?: number, settings: readonly string[] = []): Promise<RunningRedis> {
  const own = port ?? (await freePort());
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-redis-'));
  const place = ['--port', String(own), '--bind', '127.0.0.1', '--dir', folder];
  const fixed = [...place, '--save', '', '--appendonly', 'no'];
  const server = spawn(REDIS_SERVER, [...fixed, ...settings], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    server.stdout.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
  });
  return {
    port: own,
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
