/** Times and sizes as options of commands. */
import { InvalidArgumentError } from 'commander';
import { counted } from '../base/counted.js';

const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { '': 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const;

/** Parses a duration, `90s`, `30m`, `12h` or `7d`, to milliseconds. 0 needs no unit. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text === '0' ? '0s' : text) ?? [];
  if (number && unit) return Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  throw new InvalidArgumentError('Expected a number with s, m, h or d behind it, such as 12h.');
}

/** Parses a size: `500MB`, `20GB`, or a number of bytes. */
export function byteSize(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(kB|MB|GB|TB)?$/.exec(text) ?? [];
  if (number && Number(number) > 0) return Math.floor(Number(number) * BYTES[unit as keyof typeof BYTES]);
  throw new InvalidArgumentError('Expected a number of bytes, or one with kB, MB, GB or TB behind it, such as 20GB.');
}

/** Prints a number of bytes with three digits. */
export function shownBytes(bytes: number): string {
  for (const [unit, size] of Object.entries(BYTES).reverse()) {
    if (unit && bytes >= size) return `${Number((bytes / size).toPrecision(3))} ${unit}`;
  }
  return `${Math.round(bytes)} bytes`;
}

/** Prints a number of seconds roughly. */
export function roughTime(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Prints a number with commas. */
export function shownCount(value: number): string {
  return value.toLocaleString('en');
}

/** Prints how many of a thing there are. */
export function manyOf(count: number, thing: string): string {
  return counted(count, thing, shownCount(count));
}
