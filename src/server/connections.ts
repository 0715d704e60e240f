/**
 * The connections of a server, and the requests that are under way on each. When the server closes, a connection without any is closed at once, whether or not it ever
 * had one: Node itself counts a connection on which nothing was asked yet as one in use.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client that is still sending has to read the end of its answer: a socket that is closed over unread bytes takes the answer with it. */
const LINGER_MS = 1000;

export class Connections {
  readonly #underWay = new Map<Socket, Set<ServerResponse>>();
  readonly #closing = new AbortController();

  constructor(server: Server) {
    /** Connections whose TLS is not agreed on yet. */
    const bare = new Map<string, Socket>();
    server.on('connection', (socket: Socket) => {
      bare.set(endOf(socket), socket);
      socket.once('close', () => {
        if (bare.get(endOf(socket)) === socket) bare.delete(endOf(socket));
      });
      this.#add(socket);
    });
    server.on('secureConnection', (socket: Socket) => {
      const under = bare.get(endOf(socket));
      if (under) this.#underWay.delete(under);
      this.#add(socket);
    });
    server.prependListener('request', ({ socket }, response: ServerResponse) => {
      const requests = this.#underWay.get(socket);
      requests?.add(response);
      response.once('close', () => {
        requests?.delete(response);
        if (this.closing.aborted) this.#closeIdle(socket, response);
      });
    });
  }

  /** Aborted when the server takes nothing more: what has not come yet is not waited for. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** The requests of a connection that have no whole answer. */
  on(socket: Socket): readonly ServerResponse[] {
    return [...(this.#underWay.get(socket) ?? [])];
  }

  /** Closes the connections on which nothing is under way, now, and the others when that is over. */
  close(): void {
    this.#closing.abort();
    for (const socket of this.#underWay.keys()) this.#closeIdle(socket);
  }

  #add(socket: Socket): void {
    const requests = new Set<ServerResponse>();
    this.#underWay.set(socket, requests);
    socket.once('close', () => {
      this.#underWay.delete(socket);
      // Node tells the request whose turn it was; those behind it would wait for ever.
      setImmediate(() => {
        for (const response of requests) response.emit('close');
      });
    });
    if (this.closing.aborted) socket.destroy();
  }

  #closeIdle(socket: Socket, last?: ServerResponse): void {
    if (this.on(socket).length > 0 || socket.destroyed) return;
    if (!last) socket.destroy();
    else if (last.req.complete) socket.destroySoon();
    else {
      socket.end();
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    }
  }
}

/** The other end of a connection. One under TLS has the same as the one above it. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
