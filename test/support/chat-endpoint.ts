/** A stand-in for an OpenAI-compatible endpoint on loopback: answers by rule, keeps what it was asked, and fails on demand. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface SeenChat {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly [parameter: string]: unknown;
  };
}

export interface Reply {
  /** 200 when left out. */
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** The answer's text, in the usual envelope. */
  readonly content?: string | null;
  /** The whole body, instead of the envelope. */
  readonly body?: string;
  /** Never answer. */
  readonly silent?: boolean;
  /** Close the connection in the middle of the body. */
  readonly cut?: boolean;
  readonly delayMs?: number;
}

export class ChatEndpoint {
  readonly requests: SeenChat[] = [];
  /** Complete answers with status 200. */
  answered = 0;
  underWay = 0;
  mostUnderWay = 0;
  baseUrl = '';
  reply: (request: SeenChat, count: number) => Reply | Promise<Reply> = () => ({});
  readonly #server = http.createServer((request, response) => void this.#answer(request, response));

  /** Stopped when the test ends. */
  static async start(): Promise<ChatEndpoint> {
    const endpoint = new ChatEndpoint();
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    endpoint.baseUrl = `http://127.0.0.1:${(endpoint.#server.address() as AddressInfo).port}/v1`;
    onTestFinished(async () => {
      endpoint.#server.closeAllConnections();
      await new Promise((resolve) => endpoint.#server.close(resolve));
    });
    return endpoint;
  }

  /** The documents asked about, in order of arrival. */
  get documents(): string[] {
    return this.requests.map(({ body }) => body.messages[0]!.content.split('\n\nDocument:\n')[1]!);
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const seen: SeenChat = {
      method: request.method ?? '',
      url: request.url ?? '',
      authorization: request.headers.authorization,
      body: (await json(request)) as SeenChat['body'],
    };
    this.requests.push(seen);
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    const reply = await this.reply(seen, this.requests.length);
    if (reply.silent) return;
    await new Promise((resolve) => setTimeout(resolve, reply.delayMs ?? 0));
    this.underWay--;
    const { status = 200, headers = {}, content = 'cheap green lamp' } = reply;
    const envelope = {
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105 },
    };
    const body = reply.body ?? JSON.stringify(envelope);
    if (response.destroyed) return;
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    });
    if (reply.cut) {
      response.write(body.slice(0, 20));
      response.socket?.destroySoon();
      return;
    }
    if (status === 200) this.answered++;
    response.end(body);
  }
}
