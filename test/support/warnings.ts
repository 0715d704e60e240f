/** The notices that the process gives, in order. */
import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { NOTICE } from '../../src/base/environment.js';

/** @returns what has been said since; warnings are given a turn later than they are made */
export function watchWarnings(): () => Promise<string[]> {
  const heard: string[] = [];
  const listen = ({ name, message }: Error) => {
    if (name === NOTICE) heard.push(message);
  };
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));
  return async () => {
    await turn();
    return heard;
  };
}
