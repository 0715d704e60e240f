/** `directed-kvcache/client`: asks a server from any program that has `fetch`. */
export type { CallOptions, ClientOptions } from './asking.js';
export { DkvClient, DocumentsClient } from './client.js';
export { DkvApiError } from './errors.js';
export type * from './types.js';
