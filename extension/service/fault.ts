/**
 * What goes wrong in talking to the service, as one kind of error. Its message is a sentence for people: the service's own where it gave
 * one, ours where it could not.
 */
import type { ApiProblem } from '../../pipeline/model/protocol';
import { apiProblemTypes } from '../../pipeline/model/protocol';

/** `unreachable`: nobody answered, or somebody who is not the service. */
export type FaultKind = ApiProblem['type'] | 'unreachable';

export class ServiceFault extends Error {
  override readonly name = 'ServiceFault';

  constructor(
    readonly kind: FaultKind,
    message: string,
    readonly more: Pick<ApiProblem, 'errors' | 'problems'> & { cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
  }
}

/** The fault that a problem from the service is. */
export const faultOf = ({ type, detail, errors, problems }: ApiProblem): ServiceFault =>
  new ServiceFault(type, detail, { errors, problems });

/** The sentence to show for whatever was thrown. */
export const sentence = (error: unknown): string => (error instanceof Error && error.message ? error.message : String(error));

/** Whether the body of an answer is a problem of ours, and not something that a proxy or Jupyter itself has to say. */
export function isProblem(body: unknown): body is ApiProblem {
  const { type, detail } = (body ?? {}) as Partial<ApiProblem>;
  return typeof detail === 'string' && (apiProblemTypes as readonly unknown[]).includes(type);
}
