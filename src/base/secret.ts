import { inspect } from 'node:util';

/**
 * An access token or an API key. It reveals its value only to code that asks for it by name: it stays out of logs, errors, JSON and string
 * templates.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[hidden]';
  }

  toJSON(): string {
    return '[hidden]';
  }

  [inspect.custom](): string {
    return '[hidden]';
  }
}
