/** What keeps a target from running anything at all, as one sentence for the person who can mend it. */
export class TargetProblem extends Error {
  override readonly name = 'TargetProblem';
}
