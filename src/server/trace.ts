/** W3C trace context: which trace a request belongs to, so that log lines of several programs can be put together. */
import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

export interface Trace {
  readonly traceId: string;
  /** The span of this server's part. */
  readonly spanId: string;
  /** Whether whoever asked records this trace. */
  readonly flags: string;
}

/** @param traceparent what a request brings; without a valid one a new trace begins, which nobody records */
export function traceOf(traceparent: string | readonly string[] | undefined): Trace {
  const found = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : undefined;
  const spanId = randomBytes(8).toString('hex');
  const [, version, traceId, , flags, more] = found ?? [];
  // Version 00 has four parts; a later one may have more, which are not for this one.
  if (!traceId || (version === '00' && more !== undefined)) {
    return { traceId: randomBytes(16).toString('hex'), spanId, flags: '00' };
  }
  return { traceId, spanId, flags: flags! };
}

export function traceparentOf({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
