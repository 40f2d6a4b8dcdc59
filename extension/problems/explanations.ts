/** What each problem means, in the words of `docs/problems.md`: the page is part of the bundle, so that it is there without a network too. */
// The compiled file lies one folder deeper (`lib/extension/problems`) than this one, and that is where the bundler reads it.
import page from '../../../docs/problems.md';
import type { ProblemCode } from '../../pipeline/model/problem';

/** The section of the page, as Markdown without its heading. */
export function explanation(code: ProblemCode, text: string = page): string | undefined {
  const after = text.split(new RegExp(`^### ${code}$`, 'm'))[1];
  return after?.replace(/^##[\s\S]*/m, '').trim();
}
