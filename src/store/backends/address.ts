/**
 * Where a store is, read from its address. Every part of every form is checked here, before anything is opened: what is not understood
 * is refused, since a part that is passed over would name another store.
 */
import { DkvError } from '../../base/errors.js';
import { shownAddress } from '../../base/redact.js';

export interface RedisAddress {
  readonly kind: 'redis';
  readonly isEncrypted: boolean;
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** The number of the database, from 0. Only the server knows how many there are. */
  readonly database: number;
  /** The prefix with which all keys of the store begin. */
  readonly prefix: string;
  /** The address without user and password. */
  readonly shown: string;
}

/** Where a Redis server is and who asks it, in the words of its client. */
export function redisConnection({ host, port, database, username, password, isEncrypted }: RedisAddress) {
  return {
    host,
    port,
    db: database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isEncrypted && { tls: {} }),
  };
}

export interface S3Address {
  readonly kind: 's3';
  readonly bucket: string;
  /** The prefix, without slashes at its ends; empty for the whole bucket. */
  readonly prefix: string;
  readonly shown: string;
}

/** How an S3 store is reached, besides its address. */
export interface S3Options {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** A generation of a catalogue (generations/catalogue.ts). */
export interface PackedAddress {
  readonly kind: 'packed';
  readonly place: FolderAddress | S3Address;
  /** The alias that names the generation; undefined where the address names none. */
  readonly alias?: string;
  /** The id of the generation, or its beginning, instead of an alias. */
  readonly generation?: string;
}

export interface FolderAddress {
  readonly kind: 'folder';
  readonly path: string;
}

export type StoreAddress = { readonly kind: 'memory' } | FolderAddress | RedisAddress | S3Address | PackedAddress;

const DEFAULT_PORT = 6379;
const DEFAULT_PREFIX = 'dkv';
/** How an address of each kind is written. */
export const ADDRESS_FORMS = {
  folder: 'a folder',
  redis: 'redis://host:port/database?prefix=name (rediss: with TLS)',
  s3: 's3://bucket/prefix',
  packed: 'packed:folder or packed:s3://bucket/prefix (with ?alias=name or ?generation=id)',
  memory: 'memory:',
} as const satisfies Record<StoreAddress['kind'], string>;
const EXPECTED = `Expected ${Object.values(ADDRESS_FORMS)
  .join(', ')
  .replace(/, (?!.*, )/, ' or ')}`;
/** One letter is the drive of a Windows path. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])$/i;
const BUCKET = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;
/** The longest prefix. S3 allows 1024 bytes for a key, of which a document's name under the prefix takes 91. */
const LONGEST_S3_PREFIX = 900;

/** @throws DkvError INPUT_INVALID for anything in it that is not understood */
export function parseAddress(location: string): StoreAddress {
  if (location === '' || location.trim() !== location) {
    throw refused(location, location === '' ? 'it is empty' : 'it begins or ends with white space');
  }
  if (hasControls(location)) throw refused(location, 'there are control characters in it');
  const scheme = SCHEME.exec(location)?.[1];
  if (location === 'memory:') return { kind: 'memory' };
  if (scheme === 'memory') throw refused(location, 'nothing may follow "memory:"');
  if (/^rediss?:\/\//.test(location)) return redisAddress(location);
  if (location.startsWith('s3://')) return s3Address(location);
  if (location.startsWith('packed:')) return packedAddress(location);
  if (scheme !== undefined) throw refused(location, `"${scheme}:" ${hint(scheme)}`);
  expectFolder(location);
  return { kind: 'folder', path: location };
}

function packedAddress(location: string): PackedAddress {
  const [, inner = '', query] = /^packed:([^?]*)(?:\?(.*))?$/s.exec(location)!;
  if (inner.startsWith('packed:')) throw refused(location, '"packed:" is there more than once');
  const place = inner === '' ? undefined : parseAddress(inner);
  if (place?.kind !== 'folder' && place?.kind !== 's3') {
    throw refused(location, 'a catalogue is in a folder or at s3://bucket/prefix');
  }
  if (query === undefined) return { kind: 'packed', place };
  const [, name, value = ''] = /^(alias|generation)=([A-Za-z0-9_.-]+)$/.exec(query) ?? [];
  if (name === undefined) throw refused(location, 'after "?" belongs alias=NAME or generation=ID, one of them');
  return { kind: 'packed', place, [name]: value };
}

function redisAddress(location: string): RedisAddress {
  // After the last @: a password with other characters than it may have is caught below, and never shown.
  const [, scheme, login, place] = /^(rediss?):\/\/(?:(.*)@)?(.*)$/s.exec(location)!;
  const [, hostAndPort = '', path = '', query, fragment] = /^([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(place!)!;
  const escaping =
    'write other characters of user and password as %40 for @, %2F for /, %3F for ?, %23 for #, %25 for %';
  if (login !== undefined && !/^(?:[^:/?#@[\]\s%]|%[0-9a-f]{2})*(?::(?:[^/?#@[\]\s%]|%[0-9a-f]{2})*)?$/i.test(login)) {
    throw refused(location, `its user and password cannot be told from the rest: ${escaping}`);
  }
  if (fragment !== undefined) throw refused(location, 'nothing may follow "#"');
  const [, host = '', portText] = /^(.*?)(?::([^:\]]*))?$/s.exec(hostAndPort)!;
  if (host === '') throw refused(location, 'it names no host');
  if (!HOST.test(host)) throw refused(location, `${JSON.stringify(host)} is no name of a host`);
  const port = portText === undefined ? DEFAULT_PORT : Number(portText);
  if (portText !== undefined && !(/^\d{1,5}$/.test(portText) && port >= 1 && port <= 65_535)) {
    // It may be a password whose host was forgotten.
    throw refused(location, 'what follows ":" is no port: expected a number from 1 to 65535');
  }
  const database = path === '' || path === '/' ? 0 : Number(path.slice(1));
  if (!/^\/?$|^\/(?:0|[1-9]\d{0,8})$/.test(path)) {
    throw refused(location, `${JSON.stringify(path.slice(1))} is no database: expected a number such as 0`);
  }
  const prefix = prefixIn(location, query?.slice(1) ?? '');
  const shownHost = `${scheme}://${host}:${port}`;
  const [username = '', password = ''] = (login ?? '').split(/:(.*)/s).map((part) => decoded(location, part));
  if (login !== undefined && password === '') throw refused(location, 'before "@" belong a user, ":" and a password');
  return {
    kind: 'redis',
    isEncrypted: scheme === 'rediss',
    host: host.replace(/^\[|\]$/g, ''),
    port,
    ...(username && { username }),
    ...(login !== undefined && { password }),
    database,
    prefix,
    shown: `${shownHost}/${database}?prefix=${encodeURIComponent(prefix)}`,
  };
}

function prefixIn(location: string, query: string): string {
  const parameters = query === '' ? [] : query.split('&').map((part) => part.split(/=(.*)/s));
  for (const [name = ''] of parameters) {
    if (name !== 'prefix') throw refused(location, `there is no setting ${JSON.stringify(name)}, only "prefix"`);
  }
  if (parameters.length > 1) throw refused(location, '"prefix" is there more than once');
  const [parameter] = parameters;
  if (parameter === undefined) return DEFAULT_PREFIX;
  const prefix = decoded(location, (parameter[1] ?? '').replaceAll('+', ' '));
  if (/[{}]/.test(prefix) || hasControls(prefix)) {
    throw refused(location, 'its prefix may have no braces and no control characters');
  }
  if (prefix.trim() === '') throw refused(location, 'its prefix is empty');
  return prefix;
}

function s3Address(location: string): S3Address {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)(.*)$/s.exec(location)!;
  if (bucket === '') throw refused(location, 'it names no bucket');
  if (/^[^@]*:[^@]*@/s.test(location.slice('s3://'.length)) || bucket.includes('@'))
    throw refused(location, 'keys do not belong into it: they come from the environment');
  if (/[?#]/.test(location)) throw refused(location, 'nothing may follow "?" or "#"');
  if (!BUCKET.test(bucket) || /\.\.|\.-|-\.|^\d+\.\d+\.\d+\.\d+$/.test(bucket)) {
    throw refused(
      location,
      `${JSON.stringify(bucket)} is no name of a bucket: expected 3 to 63 small letters, digits, "-" and "."`,
    );
  }
  const prefix = rest.replace(/^\//, '').replace(/\/$/, '');
  const parts = prefix === '' ? [] : prefix.split('/');
  if (rest.startsWith('//') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw refused(location, 'a part of its prefix is empty, "." or ".."');
  }
  if (prefix.includes('\\') || Buffer.byteLength(prefix) > LONGEST_S3_PREFIX) {
    throw refused(location, `its prefix may have no backslash and at most ${LONGEST_S3_PREFIX} bytes`);
  }
  return { kind: 's3', bucket, prefix, shown: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}` };
}

/** Refuses a path that was meant as an address, which would make a folder of that name. */
function expectFolder(location: string): void {
  const isPlain = /^(?:\.{1,2}[/\\]|\/(?!\/)|\\|[a-z]:)/i.test(location);
  if (isPlain) return;
  const advice = 'With ./ before it, it is a folder of that name';
  if (/^~(?:[/\\]|$)/.test(location)) throw refused(location, 'nothing replaced "~": write the whole path', advice);
  if (/^\/\/|:\/\/|^(?:rediss?|s3|memory)[/;,]{2}/i.test(location)) {
    throw refused(location, 'it looks like an address', advice);
  }
  if (/^(?:[\w.-]+|\[[0-9a-f:.]+\]):\d{1,5}(?:[/?]|$)/i.test(location)) {
    throw refused(location, 'it looks like a server, whose address begins with redis://', advice);
  }
}

function decoded(location: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused(location, '"%" in it is not followed by what stands for a character: write % itself as %25');
  }
}

function hint(scheme: string): string {
  const known = scheme.toLowerCase();
  if (/^rediss?$/.test(known)) return `is followed by two slashes and written small: ${known}://host:port/database`;
  if (known === 's3') return 'is followed by two slashes and written small: s3://bucket/prefix';
  if (known === 'memory') return 'is written small';
  if (known === 'packed') return 'is written small';
  if (known === 'file') return 'is not needed: write the path of the folder';
  return 'is no kind of store';
}

function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text);
}

function refused(location: string, reason: string, advice = EXPECTED): DkvError {
  const shown = JSON.stringify(shownAddress(location));
  return new DkvError('INPUT_INVALID', `${shown} is no place for a store: ${reason}. ${advice}.`);
}
