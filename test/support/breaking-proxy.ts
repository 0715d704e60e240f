/** A way to a server that breaks: in the middle of what a client sends, as when its process is killed, or before the answer, which is lost. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface BreakingProxy {
  readonly endpoint: string;
  /** Connections break after so many bytes of what the client sends, counted from now on; infinite: never. */
  breakAfterBytes: number;
  /** Connections break at the answers to so many requests of these beginnings (`PUT /`), which have been carried out. */
  lose: { readonly beginning: string; times: number };
  stop(): Promise<void>;
}

export async function startBreakingProxy(endpoint: string): Promise<BreakingProxy> {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const pair = [client, upstream];
    for (const socket of pair) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        for (const other of pair) other.destroy();
      });
    }
    const breakBoth = () => {
      for (const socket of pair) socket.destroy();
    };
    let isLosing = false;
    client.on('data', (bytes) => {
      if (proxy.lose.times > 0 && bytes.toString('latin1').startsWith(proxy.lose.beginning)) {
        proxy.lose.times--;
        isLosing = true;
      }
      const passed = bytes.subarray(0, proxy.breakAfterBytes);
      proxy.breakAfterBytes = Math.max(0, proxy.breakAfterBytes - bytes.length);
      if (passed.length === bytes.length) upstream.write(passed);
      // What was sent before arrives.
      else upstream.write(passed, breakBoth);
    });
    upstream.on('data', (bytes) => {
      // Asks only for the rest of the request.
      const isInterim = bytes.toString('latin1').startsWith('HTTP/1.1 100');
      if (isLosing && !isInterim) breakBoth();
      else client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: BreakingProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakAfterBytes: Number.POSITIVE_INFINITY,
    lose: { beginning: '', times: 0 },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return proxy;
}
