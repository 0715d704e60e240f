/** A server at a real socket: bad and slow clients, floods, TLS, addresses, and its end. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { drain } from '../../src/server/drain.js';
import { type RunningServer, startServer } from '../../src/server/serve.js';
import { settingsOf } from '../../src/server/settings.js';
import { rereadCertificate } from '../../src/server/tls.js';
import { temporaryFolder } from '../support/fixtures.js';

const SCORE = JSON.stringify({ items: [{ document: 'The lamp costs 24 euros.', target: '24 euros' }] });
const HEAD = `POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${SCORE.length}\r\n`;

async function started(layer: object = {}, lines: string[] = []): Promise<RunningServer> {
  return startServer(settingsOf([{ store: 'memory:', listen: { port: 0 } }, layer as never]), {
    loading: { host: 'thread' },
    log: { write: (line) => void lines.push(line) },
  });
}

/** A connection that keeps what comes. */
async function connected({
  url,
}: RunningServer): Promise<{ socket: Socket; ended: Promise<string>; text: () => string }> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve(text));
    socket.once('close', () => resolve(text));
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return { socket, ended, text: () => text };
}

const ready = (server: RunningServer) => fetch(`${server.url}/ready`).then(({ status }) => status);
const scored = (server: RunningServer) =>
  fetch(`${server.url}/v1/score`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: SCORE });
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}

describe('a server at a socket', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await started({ limits: { connections: 20, head_seconds: 0.5, body_bytes: 10_000 } });
  });
  afterAll(() => server.close());

  it('answers what is no request with a code, and closes the connection', async () => {
    const bad: [text: string, status: number, code: string][] = [
      ['GET / HTTP/9.9\r\n\r\n', 400, 'INPUT_INVALID'],
      ['\x16\x03\x01\x02\x00\x01\x00', 400, 'INPUT_INVALID'],
      [`GET /health HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'BODY_TOO_LARGE'],
      [`${HEAD}content-length: 3\r\n\r\n{}`, 400, 'INPUT_INVALID'],
      [`${HEAD}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'INPUT_INVALID'],
    ];
    for (const [text, status, code] of bad) {
      const { socket, ended } = await connected(server);
      socket.write(text);
      const answer = await ended;
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).error.code).toBe(code);
    }
    expect(await ready(server)).toBe(200);
  });

  it('does not wait for heads that come drop by drop', async () => {
    const { socket, ended } = await connected(server);
    socket.write('GET /health HTTP/1.1\r\n');
    const drip = setInterval(() => socket.write('x-drop: 1\r\n'), 50);
    const answer = await ended;
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"INPUT_INVALID"/s);
  });

  it('reads no more of a body than it takes', async () => {
    const { socket, ended } = await connected(server);
    const head = HEAD.replace(`content-length: ${SCORE.length}`, 'transfer-encoding: chunked');
    socket.write(`${head}\r\n`);
    const flood = setInterval(() => socket.write(`1000\r\n${'a'.repeat(0x1000)}\r\n`), 5);
    const answer = await ended;
    clearInterval(flood);
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*"code":"BODY_TOO_LARGE"/s);
  });

  it('takes a client that closes its side for one that hangs up', async () => {
    const { socket, ended } = await connected(server);
    socket.end(`${HEAD}connection: close\r\n\r\n${SCORE.slice(0, 10)}`);
    // Its own side is closed as well, so that nothing is kept for it.
    expect(await ended).not.toMatch(/^HTTP\/1\.1 [25]/);
    const inFlight = async () =>
      /dkv_requests_in_flight (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];
    await until(async () => (await inFlight()) === '1');
  });

  it('has no more connections than it is told, and takes new ones when others are gone', async () => {
    const all = await Promise.all(Array.from({ length: 30 }, () => connected(server)));
    await until(() => all.filter(({ socket }) => socket.readableEnded || socket.destroyed).length >= 10);
    for (const { socket } of all) socket.destroy();
    await until(() =>
      ready(server).then(
        (status) => status === 200,
        () => false,
      ),
    );
  });

  it('counts a client that hangs up as one, and goes on', async () => {
    const { socket } = await connected(server);
    const counted = async () =>
      (await (await fetch(`${server.url}/metrics`)).text()).match(/dkv_requests_total\{.*status="499"\} (\d+)/)?.[1];
    socket.write(`${HEAD}\r\n${SCORE.slice(0, 10)}`);
    await until(
      async () =>
        Number((await (await fetch(`${server.url}/metrics`)).text()).match(/dkv_requests_in_flight (\d+)/)?.[1]) >= 2,
    );
    socket.destroy();
    await until(async () => (await counted()) !== undefined);
    expect((await scored(server)).status).toBe(200);
  });
});

describe('an address', () => {
  it.each(['0.0.0.0', '::', '127.evil.example', '10.0.0.1'])('%s is refused without keys', async (host) => {
    await expect(started({ listen: { host, port: 0 } })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('without keys everybody may read and change documents'),
    });
  });
});

describe('the end', () => {
  it('says at once that it is near, answers as long as it is told, and then what is in flight', async () => {
    const lines: string[] = [];
    const server = await started({ drain: { wait_seconds: 1.5 } }, lines);
    const { socket, ended } = await connected(server);
    socket.write(`${HEAD}\r\n${SCORE.slice(0, 10)}`);
    await ready(server);
    const drained = drain(server);
    expect(await ready(server)).toBe(503);
    expect((await scored(server)).status).toBe(200);
    await until(() => server.parts.standing === 'closing');
    await expect(ready(server)).rejects.toThrow();
    socket.write(SCORE.slice(10));
    expect(await ended).toMatch(/^HTTP\/1\.1 200 .*connection: close.*"items":\[/is);
    expect(await drained).toBe(true);
  });

  it('cuts off what takes too long', async () => {
    const server = await started({ drain: { seconds: 0.3 } });
    const { socket, ended } = await connected(server);
    socket.write(`${HEAD}\r\n${SCORE.slice(0, 10)}`);
    await ready(server);
    expect(await drain(server)).toBe(false);
    expect(await ended).toBe('');
  });
});

describe('TLS', () => {
  const certificate = (folder: string, name: string) => {
    const [cert, key] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
    const subject = [
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
      '-nodes',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
    ];
    execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { cert, key };
  };
  const nameAt = async ({ url }: RunningServer) => {
    const request = httpsRequest(`${url}/health`, { rejectUnauthorized: false, agent: false });
    request.end();
    const [answer] = await once(request, 'response');
    answer.resume();
    return { status: answer.statusCode, name: answer.socket.getPeerCertificate().subject.CN };
  };

  it('uses the files, reads them again when asked, and keeps what it has where they are wrong', async () => {
    const folder = await temporaryFolder();
    const { cert, key } = certificate(folder, 'first.example');
    const lines: string[] = [];
    const server = await started({ listen: { port: 0, tls_cert: cert, tls_key: key } }, lines);
    onTestFinished(() => server.close());
    expect(server.url).toMatch(/^https:/);
    expect(await nameAt(server)).toEqual({ status: 200, name: 'first.example' });
    const second = certificate(folder, 'second.example');
    // The certificate without its key.
    await copyFile(second.cert, cert);
    await rereadCertificate(server.app, server.parts.settings);
    expect((await nameAt(server)).name).toBe('first.example');
    expect(lines.at(-2) ?? lines.at(-1)).toBeDefined();
    expect(lines.join('')).toContain('The certificate that was read before stays in use.');
    await copyFile(second.key, key);
    await rereadCertificate(server.app, server.parts.settings);
    expect((await nameAt(server)).name).toBe('second.example');
  });

  it('is refused without its key, and for files that are none', async () => {
    const folder = await temporaryFolder();
    const { cert, key } = certificate(folder, 'first.example');
    await writeFile(key, (await readFile(key, 'utf8')).slice(0, 60));
    const refused = (listen: object) => expect(started({ listen: { port: 0, ...listen } })).rejects;
    await refused({ tls_cert: cert }).toThrow('TLS needs both files');
    await refused({ tls_cert: cert, tls_key: key }).toThrow('are no certificate and its key');
    await refused({ tls_cert: `${cert}.none`, tls_key: key }).toMatchObject({ code: 'FILES_UNUSABLE' });
  });
});
