/**
 * What goes wrong, as problem+json (RFC 9457): one table of kinds, and one place where whatever was thrown becomes one of them. What a caller
 * can do something about is told as it is; what only we can mend is logged and told as "internal", with the request's id to find it by.
 */
import type { ApiProblem, ApiProblemType } from '../../pipeline/model/protocol';
import { StorageProblem } from '../artifacts';
import { RunProblem, type RunTrouble } from '../engine/problem';
import { StoreProblem } from '../store';
import { TargetProblem } from '../targets/problem';

/** Every kind with its status and title. */
export const kinds: Record<ApiProblemType, { status: number; title: string }> = {
  'bad-request': { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'Who asks is not known' },
  forbidden: { status: 403, title: 'Not allowed from there' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Not to be done here' },
  'wrong-state': { status: 409, title: 'Not possible as things stand' },
  conflict: { status: 409, title: 'In conflict with an earlier request' },
  'too-large': { status: 413, title: 'Too large' },
  'unsupported-media-type': { status: 415, title: 'Not JSON' },
  'invalid-body': { status: 422, title: 'The body is not as expected' },
  'notebook-has-problems': { status: 422, title: 'The notebook has problems' },
  stopping: { status: 503, title: 'The service is stopping' },
  storage: { status: 503, title: 'What is kept cannot be reached' },
  internal: { status: 500, title: 'Something went wrong inside' },
};

/** Thrown by whatever answers a request; `message` is the sentence for the caller. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly type: ApiProblemType,
    message: string,
    readonly more: Pick<ApiProblem, 'errors' | 'problems'> & { headers?: Record<string, string> } = {},
  ) {
    super(message);
  }
}

export const notFound = (what: string): ApiError => new ApiError('not-found', what);

const runTroubles: Record<RunTrouble, ApiProblemType> = {
  'not-found': 'not-found',
  'wrong-state': 'wrong-state',
  conflict: 'conflict',
  invalid: 'invalid-body',
  stopping: 'stopping',
};

/** The error as one that can be told. `request` is the id under which the log has what is not told. */
export function apiError(error: unknown, request: string): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof RunProblem) return new ApiError(runTroubles[error.trouble], error.message);
  if (error instanceof TargetProblem) return new ApiError('wrong-state', error.message);
  if (error instanceof StoreProblem) return new ApiError('storage', error.message);
  if (error instanceof StorageProblem) return new ApiError(error.trouble === 'missing' ? 'not-found' : 'storage', error.message);
  // What Express says of an address that cannot be decoded.
  if (error instanceof URIError) return new ApiError('bad-request', 'The address has a % that is not followed by two hex digits of UTF-8.');
  return new ApiError('internal', `Something went wrong inside the service; its log has the details under request ${request}.`);
}

/** The body of the answer. */
export function problem({ type, message, more: { errors, problems } }: ApiError): ApiProblem {
  const { status, title } = kinds[type];
  return { type, title, status, detail: message, ...(errors ? { errors } : {}), ...(problems ? { problems } : {}) };
}
