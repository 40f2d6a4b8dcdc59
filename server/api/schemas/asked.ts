/** What addresses, queries and headers hold: texts, made into what handlers work with. */
import { z } from 'zod';
import { RunStatuses } from './model';
import { PipelineId, RunId } from './protocol';
import { largest, name } from './shape';

/** A whole number as people write it: no sign, no spaces, no leading zeros. */
const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,14})$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most));

export const number = whole(1, largest);
export const limit = (most: number) => whole(1, most).optional().describe(`At most so many items; ${most} is the most.`);
/** Events and lines: those numbered above. */
export const after = whole(0, largest).optional().describe('The number of the last one seen; 0, the default, is the start.');

const cursor = (of: z.ZodType<string>) => of.optional().describe('`next` of the page before.');

export const ofRun = z.strictObject({ run: RunId });
export const ofPipeline = z.strictObject({ pipeline: PipelineId });
export const ofVersion = z.strictObject({ pipeline: PipelineId, number });
const step = z.string().regex(/^[A-Za-z0-9_+-]{1,200}$/);
export const ofStep = z.strictObject({ run: RunId, step });
export const ofAttempt = z.strictObject({ run: RunId, step, attempt: number });

export const runsQuery = z.strictObject({
  status: RunStatuses.optional(),
  pipeline: PipelineId.optional(),
  path: name(4096).optional().describe("The notebook's file, from the service's root or absolute."),
  experiment: name(200).optional(),
  limit: limit(200),
  cursor: cursor(RunId),
});
export const pipelinesQuery = z.strictObject({ limit: limit(200), cursor: cursor(PipelineId) });
export const versionsQuery = z.strictObject({ limit: limit(200), cursor: number.optional().describe('`next` of the page before.') });

/** Other headers are none of a route's business. */
export const startHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 printable characters without spaces')
    .optional()
    .describe('Asking again with the same key gives the run that was started the first time.'),
});
