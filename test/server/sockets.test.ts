/** A server at a real socket: bad and slow clients, floods, TLS, addresses, and its end. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
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

describe('what is refused before it is a request', () => {
  let server: RunningServer;
  const lines: string[] = [];
  beforeAll(async () => {
    server = await started({ limits: { head_seconds: 0.3 } }, lines);
  });
  afterAll(() => server.close());
  const told = () =>
    lines.map((line) => JSON.parse(line)).filter(({ msg, route }) => msg === 'answered' && route !== '/metrics');
  const asked = async (text: string) => {
    lines.length = 0;
    const { socket, ended } = await connected(server);
    socket.write(text);
    return ended;
  };
  const counted = async (labels: string) =>
    Number(
      (await (await fetch(`${server.url}/metrics`)).text()).split(`dkv_requests_total{${labels}} `)[1]?.split('\n')[0],
    );

  it.each([
    ['GET / HTTP/9.9\r\n\r\n', 400, 'INPUT_INVALID', 'none', 'none'],
    [`GET /health HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'BODY_TOO_LARGE', 'none', 'none'],
    ['GET /health HTTP/1.1\r\nhost', 408, 'INPUT_INVALID', 'none', 'none'],
    ['GET /v1/documents/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 400, 'INPUT_INVALID', 'GET', 'none'],
    [
      `${HEAD.replace(/content-length.*/, 'transfer-encoding: chunked')}\r\nzz\r\n`,
      400,
      'INPUT_INVALID',
      'POST',
      '/v1/score',
    ],
    ['GET /health HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'INPUT_INVALID', 'GET', '/health'],
    [`${HEAD}expect: something-else\r\nconnection: close\r\n\r\n${SCORE}`, 417, 'INPUT_INVALID', 'POST', '/v1/score'],
  ])('has a body, a line and a count (%#)', async (text, status, code, method, route) => {
    const labels = `method="${method}",route="${route}",status="${status}"`;
    const before = (await counted(labels)) || 0;
    const answer = await asked(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).error).toEqual({ code, message: expect.any(String) });
    await until(() => told().length > 0);
    expect(told()).toEqual([expect.objectContaining({ method, route, status, code })]);
    expect(await counted(labels)).toBe(before + 1);
  });

  it('is told as late where a body stops', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    lines.length = 0;
    const { socket, ended } = await connected(server);
    socket.write(`${HEAD}\r\n${SCORE.slice(0, 10)}`);
    const inFlight = async () =>
      (await (await fetch(`${server.url}/metrics`)).text()).includes('dkv_requests_in_flight 2');
    while (!(await inFlight()));
    vi.advanceTimersByTime(31_000);
    expect(await ended).toMatch(/^HTTP\/1\.1 408 .*connection: close.*"code":"INPUT_INVALID"/s);
    while (told().length === 0) await ready(server);
    expect(told().find(({ route }) => route === '/v1/score')).toMatchObject({ status: 408, code: 'INPUT_INVALID' });
  });

  it('asks for a body that is announced, and for none that is not wanted', async () => {
    const { socket, ended, text } = await connected(server);
    socket.write(`${HEAD}expect: 100-continue\r\nconnection: close\r\n\r\n`);
    await until(() => text() !== '');
    expect(text()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(SCORE);
    expect(await ended).toMatch(/\r\n\r\nHTTP\/1\.1 200 /);
  });

  it('gives back what a connection had under way when it breaks', async () => {
    const { socket } = await connected(server);
    socket.write(`${`${HEAD}\r\n${SCORE}`.repeat(3)}${HEAD}\r\n`);
    const inFlight = async () =>
      Number(/dkv_requests_in_flight (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
    await until(async () => (await inFlight()) > 1);
    socket.resetAndDestroy();
    await until(async () => (await inFlight()) === 1);
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
    const server = await started({ drain: { seconds: 0.001 } });
    const { socket, ended } = await connected(server);
    const long = JSON.stringify({ items: Array(200).fill(JSON.parse(SCORE).items[0]) });
    socket.write(`${HEAD.replace(/content-length.*\r\n/, `content-length: ${long.length}\r\n`)}\r\n${long}`);
    await ready(server);
    expect(await drain(server)).toBe(false);
    expect(await ended).toBe('');
  });

  it('does not wait for connections on which nothing is asked', async () => {
    const server = await started({ drain: { seconds: 600 } });
    const never = await connected(server);
    const half = await connected(server);
    half.socket.write('GET /health HTTP/1.1\r\nhost');
    const before = await connected(server);
    before.socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => before.text().endsWith('}'));
    expect(await drain(server)).toBe(true);
    expect(await Promise.all([never.ended, half.ended])).toEqual(['', '']);
  });

  it('refuses a body that does not come, before the work of others is cut off', async () => {
    const lines: string[] = [];
    const server = await started({ drain: { seconds: 600 } }, lines);
    const { socket, ended } = await connected(server);
    socket.write(`${HEAD}\r\n${SCORE.slice(0, 10)}`);
    await ready(server);
    expect(await drain(server)).toBe(true);
    expect(await ended).toMatch(/^HTTP\/1\.1 503 .*connection: close.*"code":"SERVER_CLOSING"/is);
    expect(lines.join('')).toMatch(/"route":"\/v1\/score","status":503,.*"code":"SERVER_CLOSING"/);
  });

  it('ends a stream of documents after what it has of it', async () => {
    const lines: string[] = [];
    const server = await started({ drain: { seconds: 600 } }, lines);
    const { socket, ended, text } = await connected(server);
    socket.write('POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n');
    socket.write('transfer-encoding: chunked\r\n\r\n');
    const send = (line: string) => socket.write(`${line.length.toString(16)}\r\n${line}\r\n`);
    send('{"id": "lamp", "text": "The lamp costs 24 euros."}\n');
    await until(() => text().includes('"primed"'));
    send('{"id": "chair", "text": "The chair costs 80 euros."}\n{"id": "tab');
    await ready(server);
    expect(await drain(server)).toBe(true);
    expect(await ended).toMatch(
      /"line":1,"id":"lamp","status":"primed".*"line":2,"id":"chair","status":"primed".*"line":3,"error":\{"code":"SERVER_CLOSING".*\r\n0\r\n\r\n$/s,
    );
    expect(lines.join('')).toContain('"route":"/v1/documents","status":200');
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

  it('is under the same clock, and ends as soon', async () => {
    const { cert, key } = certificate(await temporaryFolder(), 'first.example');
    const layer = {
      listen: { port: 0, tls_cert: cert, tls_key: key },
      limits: { head_seconds: 0.3 },
      drain: { seconds: 600 },
    };
    const server = await started(layer);
    const { hostname, port } = new URL(server.url);
    const agreed = async () => {
      const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      return socket;
    };
    const slow = await agreed();
    slow.write('GET /health HTTP/1.1\r\nhost');
    expect(String(await once(slow, 'data'))).toMatch(/^HTTP\/1\.1 408 /);
    await agreed();
    // Its TLS is not agreed on.
    await connected(server);
    const asking = await agreed();
    asking.write(`${HEAD}\r\n`);
    await until(() => server.parts.metrics.text().then((text) => text.includes('dkv_requests_in_flight 1')));
    const drained = drain(server);
    await until(() => server.parts.standing === 'closing');
    asking.write(SCORE);
    expect(String(await once(asking, 'data'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await drained).toBe(true);
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
