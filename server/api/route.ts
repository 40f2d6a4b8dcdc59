/**
 * A route as data: where it is, what it takes, what it answers and who answers it. The router (`router.ts`) and the document (`openapi.ts`) are both
 * made from these, so they cannot differ; the compiler sees to it that a handler answers nothing that its route does not list.
 */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { ApiProblemType } from '../../pipeline/model/protocol';
import type { Service } from './service';
import type { Caller } from './who';

export type Method = 'get' | 'post';

/** A body that is no JSON of a schema: text, a file, a stream of bytes. */
export interface Raw {
  type: string;
  content: string | Uint8Array | Readable;
  /** Bytes, where the content is a stream. */
  size?: number;
}

/** One kind of answer. `T` is what its handler gives. */
export interface Answer<T = unknown> {
  description: string;
  /** Absent: there is no body, or a raw one. */
  schema?: z.ZodType<T>;
  /** Media types of a raw body. */
  raw?: string[];
  headers?: Record<string, string>;
}

type Answers = Record<number, Answer>;

/** What a handler gives: one of the answers of its route. */
export type Reply<A extends Answers> = {
  [S in keyof A]: { status: S; headers?: Record<string, string> } & (A[S] extends Answer<infer T> ? { body: T } : never);
}[keyof A];

export interface Call<P, Q, H, B> {
  params: P;
  query: Q;
  headers: H;
  body: B;
  caller: Caller;
  service: Service;
}

export interface RouteOf<P, Q, H, B, A extends Answers> {
  method: Method;
  /** `{name}` stands for a parameter. */
  path: string;
  /** A few words; the document's `summary`. */
  title: string;
  description?: string;
  /** Groups routes in the document. */
  group: string;
  /** Anybody may ask. */
  open?: boolean;
  params?: z.ZodType<P>;
  query?: z.ZodType<Q>;
  headers?: z.ZodType<H>;
  body?: z.ZodType<B>;
  answers: A;
  /** Problems that it answers beyond those that any route may (`openapi.ts` lists them). */
  problems?: ApiProblemType[];
  handle(call: Call<P, Q, H, B>): Promise<Reply<NoInfer<A>>> | Reply<NoInfer<A>>;
}

/** Any route: what serves it checks by its schemas what the handler is given. */
export type Route = RouteOf<unknown, unknown, unknown, unknown, Answers>;

type None = Record<never, never>;

export const route = <A extends Answers, P = None, Q = None, H = None, B = undefined>(one: RouteOf<P, Q, H, B, A>): Route =>
  one as unknown as Route;

export const answer = <T>(description: string, schema: z.ZodType<T>, headers?: Record<string, string>): Answer<T> => ({
  description,
  schema,
  headers,
});
export const empty = (description: string): Answer<undefined> => ({ description });
export const raw = (description: string, types: string[], headers?: Record<string, string>): Answer<Raw> => ({
  description,
  raw: types,
  headers,
});
