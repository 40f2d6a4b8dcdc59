/**
 * How a schema is tied to its type: `shape<T>` wants a schema for every key of `T`, optional ones too, and none besides, and each has to
 * give what the key holds. A field that is added to a type of the protocol and not to its schema does not compile.
 */
import { z } from 'zod';

type Fields<T> = { [K in keyof T]-?: z.ZodType<T[K]> };

/** An object with exactly the keys of `T`, known in the document by this name. */
export const shape =
  <T extends object>() =>
  (id: string, fields: Fields<T>): z.ZodType<T> =>
    z.strictObject(fields).meta({ id }) as unknown as z.ZodType<T>;

/** The same, inside another schema and without a name of its own. */
export const inside =
  <T extends object>() =>
  (fields: Fields<T>): z.ZodType<T> =>
    z.strictObject(fields) as unknown as z.ZodType<T>;

/** One of several shapes. `T` is the union that they make; the compiler refuses a shape that is not part of it. */
export const oneOf =
  <T>() =>
  (id: string, ...shapes: [z.ZodType<T>, z.ZodType<T>, ...z.ZodType<T>[]]): z.ZodType<T> =>
    z.union(shapes).meta({ id }) as z.ZodType<T>;

/** Any JSON value. */
export const json = z.any();
export const count = z.int().min(0);
/** The number of an event, a line or an attempt; databases keep it in 32 bits. */
export const largest = 2_000_000_000;
export const seconds = z.number();
export const bytes = z.number().min(0);

/** Text that every database and every terminal takes: no control characters. */
export const name = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'expected text without control characters');
