/**
 * Addresses as they may be shown: without passwords, and without queries that are keys by themselves (signed links). Every place that
 * puts an address into a message, a log, a record or JSON uses `shownAddress`; `DkvError` puts each message through `withoutSecrets`
 * once more, for addresses inside texts of other origin.
 *
 * Addresses come from people, so they need not be well formed: the password may have "/", "#" or "@" in it that should have been
 * escaped, and the scheme may be mistyped. Whatever can be read as a password is hidden; that now and then hides too much is accepted.
 */
const HIDDEN = '[hidden]';

/** `redis://`, and what is typed in its place: `redis:/`, `redis//`, `htp://`. Not `file:`, whose paths hold names such as `zod@4`. */
const SCHEME = String.raw`(?<![a-z])(?!file:)[a-z][\w+.-]{0,30}(?::/{1,3}|/{2,3})`;
/** Schemes that people also write without any slash. */
const BARE_SCHEME = String.raw`\b(?:rediss?|valkeys?|s3|https?):(?!/)`;

/** The longest text that is searched at once. No message needs a longer one, and the bound keeps the search linear. */
const MOST = 2000;
/** A user and password within one word of a text. */
const LOGIN_IN_TEXT = new RegExp(`(${SCHEME}|${BARE_SCHEME})(\\S{0,${MOST}}@)`, 'gi');
const LOGIN_IN_ADDRESS = new RegExp(`(${SCHEME}|${BARE_SCHEME}|^)([\\s\\S]*@)`, 'i');
/** A port that is none may be the password of an address whose host was forgotten. The word itself is in messages that explain the form. */
const PORT_THAT_IS_NONE = new RegExp(
  `(${SCHEME}[^/?#\\s@:[\\]]*):(?!\\[hidden\\]|(?:\\d{1,5}|port)(?!\\w))([^/?#\\s@]*\\w[^/?#\\s@"'\`)\\]}]*)`,
  'gi',
);

/** Parameters that are secrets under most names that services give them. */
const SECRET_NAME = String.raw`(?:[\w.-]*(?:signature|token|secret|passw|pwd|credential|api[_-]?key|access[_-]?key|auth)[\w.-]*|sig|key|pass|jwt|policy|sas)`;
const SECRET_PARAMETER = new RegExp(`(?<=[?&;#]|&amp;|%3F|%26)(${SECRET_NAME})(=|%3D)([^\\s&;#"'<>]+)`, 'gi');
/** Signed parameters whose names are so clear that they need no question mark before them. */
const SIGNATURE = /\b(X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token))(=|%3D)([^\s&;#"'<>]+)/gi;

/** A key of our own server, as in src/server/key-records.ts. Its id may be shown. */
const SERVER_KEY = /\b(dkv_[a-z0-9]{12}_)[0-9a-f]{8,}/gi;

/** Parameters that this program or the hub writes itself. */
const OPEN_PARAMETERS = new Set(['prefix', 'limit', 'blobs', 'recursive', 'download']);

/** One address, whatever is wrong with it: no user and password, and no parameter that could be a key. */
export function shownAddress(address: string): string {
  return withoutQuery(withoutSecrets(address.replace(LOGIN_IN_ADDRESS, withoutLogin)));
}

/** A text that may have addresses or keys of our server in it: no user and password, and no parameter whose name says that it is a key. */
export function withoutSecrets(text: string): string {
  return text
    .replace(LOGIN_IN_TEXT, withoutLogin)
    .replace(PORT_THAT_IS_NONE, `$1:${HIDDEN}`)
    .replace(SECRET_PARAMETER, `$1$2${HIDDEN}`)
    .replace(SIGNATURE, `$1$2${HIDDEN}`)
    .replace(SERVER_KEY, `$1${HIDDEN}`);
}

function withoutLogin(whole: string, scheme: string, login: string): string {
  // "https://host/@name" and "https://host/name@1.2" are paths.
  const isPath = !login.includes(':') && /[/?#]/.test(login) && !/^(?:rediss?|valkeys?)\b/i.test(scheme);
  // "name@revision", without any scheme, is how models are named.
  const isName = scheme === '' && !login.includes(':');
  return isPath || isName ? whole : `${scheme}${HIDDEN}@`;
}

function withoutQuery(address: string): string {
  const at = new RegExp(SCHEME, 'i').test(address) ? address.search(/[?#]/) : -1;
  if (at < 0) return address;
  const query = address.slice(at).replace(/([?&;#])([^=&;#]*)(=?)([^&;#]*)/g, (part, mark, name, equals) => {
    if (OPEN_PARAMETERS.has(name) || (name === '' && equals === '')) return part;
    return equals === '' ? `${mark}${HIDDEN}` : `${mark}${name}=${HIDDEN}`;
  });
  return address.slice(0, at) + query;
}
