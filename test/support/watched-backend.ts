/** A storage that tells what it is asked for. */
import type { Backend } from '../../src/store/backends/backend.js';

/** The same storage; what it is asked for is noted, with the first argument. */
export function watched(backend: Backend, calls: [string, unknown][]): Backend {
  return new Proxy(backend, {
    get(target, name) {
      const own = Reflect.get(target, name, target);
      if (typeof own !== 'function') return own;
      return (...args: unknown[]) => {
        calls.push([String(name), args[0]]);
        return own.apply(target, args);
      };
    },
  });
}
