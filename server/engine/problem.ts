/** Something a person asked for that the facts in the store do not allow; the message is one sentence for them. */
export class RunProblem extends Error {
  override readonly name = 'RunProblem';
}
