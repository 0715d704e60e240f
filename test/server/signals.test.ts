/** How `dkv serve` ends: by one signal, by two, and when something in flight takes too long. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startDkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

interface Process {
  readonly child: ChildProcess;
  readonly url: string;
  readonly stderr: () => string;
  readonly ended: Promise<unknown[]>;
}

async function serving(drain: object): Promise<Process> {
  const cwd = await temporaryFolder();
  await writeFile(path.join(cwd, 'serve.yaml'), JSON.stringify({ store: 'memory:', listen: { port: 0 }, drain }));
  const child = startDkv(['serve', '--config', 'serve.yaml'], { cwd });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const url = () => /Listening at (\S+);/.exec(stderr)?.[1];
  while (url() === undefined && child.exitCode === null) await sleep(20);
  return { child, url: url()!, stderr: () => stderr, ended };
}

/** A request that is in flight: its body is not whole yet, or it is more than is answered in a moment. */
async function begun({ url }: Process, body = '{'): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  const head = 'POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  socket.write(`${head}content-length: ${Math.max(body.length, 100)}\r\n\r\n${body}`);
  // Whatever came before this one was read before it is answered.
  await fetch(`${url}/health`);
  return socket;
}

it('ends with 0 after a signal, and says that it does', async () => {
  const server = await serving({});
  expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  server.child.kill('SIGTERM');
  expect(await server.ended).toEqual([0, null]);
  expect(server.stderr()).toContain('"msg":"ending"');
  await expect(fetch(`${server.url}/ready`)).rejects.toThrow();
});

it('ends with 1 where something in flight takes longer than it may', async () => {
  const server = await serving({ seconds: 0.001 });
  const items = Array(200).fill({ document: 'The lamp costs 24 euros.', target: '24 euros' });
  await begun(server, JSON.stringify({ items }));
  server.child.kill('SIGINT');
  expect(await server.ended).toEqual([1, null]);
  expect(server.stderr()).toContain('requests in flight were cut off');
});

it('ends at once at the second signal', async () => {
  const server = await serving({ seconds: 600 });
  await begun(server);
  server.child.kill('SIGTERM');
  while (!server.stderr().includes('"msg":"ending"')) await sleep(20);
  server.child.kill('SIGTERM');
  expect(await server.ended).toEqual([null, 'SIGTERM']);
});
