/** What a person asked for that cannot be, told apart by why. */
export type RunTrouble = 'not-found' | 'wrong-state' | 'conflict' | 'invalid' | 'stopping';

/** Something a person asked for that the facts in the store do not allow; the message is one sentence for them. */
export class RunProblem extends Error {
  override readonly name = 'RunProblem';

  constructor(
    readonly trouble: RunTrouble,
    message: string,
  ) {
    super(message);
  }
}
