/** What a route is: its address, who may ask it, the forms of what it takes and gives, and what it does. app.ts makes Fastify's routes of them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Scope } from './caller.js';
import type { Exchange } from './exchange.js';

export interface Route<Body extends z.ZodType = z.ZodType, Params extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  /** The scope that a key needs; `open` for what anybody may ask. */
  readonly scope: Scope | 'open';
  /** One line for the list of routes. */
  readonly summary: string;
  readonly description?: string;
  readonly tag: 'inference' | 'documents' | 'administration' | 'server';
  /** The form of the body: JSON by `wireObject`, unless `consumes` says something else. */
  readonly body?: Body;
  readonly params?: Params;
  readonly query?: z.ZodType;
  /**
   * How many pairs of a query and a document a request asks for, which its key's limit counts before the work begins. Every route that asks the model for something
   * has it.
   */
  pairs?(body: z.output<Body>): number;
  /** The form of the answer. */
  readonly answer?: z.ZodType;
  /**
   * The content types of the body where it is a stream of JSON lines, each of the form `body`. The handler then reads `request.body` itself, and the limits of size
   * and time of a body are not for it.
   */
  readonly consumes?: readonly string[];
  /** The content type of the answer where it is no JSON. */
  readonly produces?: string;
  /**
   * Answers a request: with what `answer` describes, or, where it has answered by `reply` itself, with `undefined`.
   */
  handle(asked: Asked<z.output<Body>, z.output<Params>>): Promise<unknown>;
}

export interface Asked<Body, Params> {
  readonly body: Body;
  readonly params: Params;
  readonly query: unknown;
  readonly exchange: Exchange;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Keeps the types of a route's parts while it is written down. */
export function route<Body extends z.ZodType, Params extends z.ZodType>(given: Route<Body, Params>): Route {
  return given as unknown as Route;
}
