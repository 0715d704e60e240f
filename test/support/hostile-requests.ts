/** Requests that a server has to survive: made of its own OpenAPI document, of values that do not fit it, and of bytes that are nothing at all. */
import type { Random } from '../../src/base/random.js';

export interface HostileRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

export interface Paths {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const STRINGS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '../../../../etc/passwd',
  '..\\..\\windows',
  '%2e%2e%2f',
  '/etc/passwd',
  '\u{1F600}'.repeat(50),
  '\ud800',
  '\u202e\u0007',
  '<script>alert(1)</script>',
  '$' + '{jndi:ldap://127.0.0.1/a}',
  "'; DROP TABLE documents; --",
  '__proto__',
  'constructor',
  'x'.repeat(5000),
  'bare',
  'doc_kw',
  'oracle',
  `static:${'word '.repeat(300)}`,
  'NaN',
  '1e999',
  'lamp',
  'chair',
] as const;

const NUMBERS = [0, -0, -1, 1, 2, 0.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e-7] as const;

/** Bodies that are no JSON, or JSON that no program wrote. */
const RAW: readonly Buffer[] = [
  Buffer.from(''),
  Buffer.from('null'),
  Buffer.from('[]'),
  Buffer.from('"text"'),
  Buffer.from('1e999'),
  Buffer.from('{"a":1e99999}'),
  Buffer.from('{"items":[{"document":"x","target":1e400}]}'),
  Buffer.from('{"__proto__":{"polluted":true}}'),
  Buffer.from('{"constructor":{"prototype":{"polluted":true}}}'),
  Buffer.from('{"items":'),
  Buffer.from('{"query":"a","query":"b","documents":["c"]}'),
  Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
  Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.from('{"query":"\\ud800","documents":["x"]}'),
  Buffer.from('{"items":[{"document":"\\ud800","target":"x"}]}'),
  Buffer.from('['.repeat(50_000)),
  Buffer.from('{"a":'.repeat(20_000)),
  Buffer.from(`{"items":${'['.repeat(5000)}${']'.repeat(5000)}}`),
  Buffer.from('\ufeff{"items":[]}'),
  Buffer.alloc(2000, 0),
];

const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/x-ndjson',
  'application/jsonl',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'garbage',
  '',
] as const;

const HEADERS: readonly (readonly [string, string])[] = [
  ['traceparent', '00-zz-zz-zz'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['authorization', 'Bearer dkv_aaaaaaaaaaaa_00'],
  ['authorization', `Basic ${'a'.repeat(2000)}`],
  ['accept-encoding', 'gzip, br, x'],
  ['x-forwarded-for', "127.0.0.1' OR 1=1"],
  ['content-encoding', 'gzip'],
  ['expect', 'x'],
  ['range', 'bytes=0-'],
  ['x-request-id', 'a'.repeat(1000)],
];

/** Every method that a path has, and some that it has not. */
function operationsOf({ paths }: Paths) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

export class HostileRequests {
  readonly #operations: ReturnType<typeof operationsOf>;
  readonly #random: Random;

  constructor(document: Paths, random: Random) {
    this.#operations = operationsOf(document);
    this.#random = random;
  }

  next(): HostileRequest {
    const random = this.#random;
    const { path, method, operation } = random.pick(this.#operations);
    const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? ['application/json', undefined];
    const body = random.chance(0.3) ? random.pick(RAW) : this.#body(content?.schema, type);
    const url = path.replace(/\{\w+\}/g, () => encodeURIComponent(wellFormed(random.pick(STRINGS))) || 'x');
    const extra = random.chance(0.2) ? [random.pick(HEADERS)] : [];
    const asked = random.chance(0.1)
      ? random.pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])
      : method;
    return {
      method: asked,
      url: random.chance(0.1)
        ? `${url}?${random.pick(['a=%ff', 'x', 'source_version=-1', 'source_version=1e99', '%00', 'a[]=1&a[]=2'])}`
        : url,
      headers: { 'content-type': random.chance(0.15) ? random.pick(TYPES) : type, ...Object.fromEntries(extra) },
      payload: asked === 'GET' || asked === 'HEAD' ? Buffer.alloc(0) : body,
    };
  }

  #body(schema: Schema | undefined, type: string): Buffer {
    const line = () => JSON.stringify(this.#value(schema, 0) ?? null);
    const isLines = /ndjson|jsonl/.test(type);
    const text = isLines ? Array.from({ length: this.#random.between(0, 4) }, line).join('\n') : line();
    // Cut anywhere, a character in its middle included.
    const bytes = Buffer.from(text);
    return this.#random.chance(0.1) ? bytes.subarray(0, this.#random.between(0, bytes.length)) : bytes;
  }

  /** A value of the schema, of which parts may be something else. */
  #value(schema: Schema | undefined, depth: number): unknown {
    const random = this.#random;
    if (!schema || depth > 8 || random.chance(0.04)) return this.#anything(depth);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return random.pick(schema.enum);
    const several = schema.anyOf ?? schema.oneOf;
    if (several) return this.#value(random.pick(several), depth);
    const type = typeof schema.type === 'string' ? schema.type : random.pick(schema.type ?? ['object']);
    switch (type) {
      case 'object': {
        const fields = Object.entries(schema.properties ?? {}).filter(([name]) =>
          random.chance(schema.required?.includes(name) ? 0.97 : 0.25),
        );
        const made = fields.map(([name, own]): [string, unknown] => [name, this.#value(own, depth + 1)]);
        if (random.chance(0.04)) made.push([random.pick(STRINGS), this.#anything(depth)]);
        return Object.fromEntries(made);
      }
      case 'array':
        return Array.from({ length: random.between(0, 3) }, () => this.#value(schema.items, depth + 1));
      case 'integer':
        return random.chance(0.6) ? random.between(0, 4) : random.pick(NUMBERS);
      case 'number':
        return random.chance(0.5) ? random.float() : random.pick(NUMBERS);
      case 'boolean':
        return random.chance(0.5);
      case 'null':
        return null;
      default:
        return random.pick(STRINGS);
    }
  }

  #anything(depth: number): unknown {
    const random = this.#random;
    switch (random.below(depth > 4 ? 4 : 6)) {
      case 0:
        return random.pick(STRINGS);
      case 1:
        return random.pick(NUMBERS);
      case 2:
        return random.chance(0.5);
      case 3:
        return null;
      case 4:
        return Array.from({ length: random.between(0, 3) }, () => this.#anything(depth + 1));
      default:
        return { [random.pick(STRINGS)]: this.#anything(depth + 1) };
    }
  }
}

function wellFormed(text: string): string {
  return text.isWellFormed() ? text : 'x';
}
