/** The table of contents of the bench: each part prints its own rows. Run by `npm run bench`; how figures are taken is in README.md. */
import { api } from './api.mts';
import { compileTimes } from './compile.mts';
import { frames } from './frames.mts';
import { lists } from './lists.mts';
import { steps } from './steps.mts';
import { ui } from './ui.mts';

const parts: Record<string, () => Promise<void> | void> = { steps, frames, compile: compileTimes, lists, api, ui };
const chosen = process.argv.slice(2);
for (const name of chosen.length > 0 ? chosen : Object.keys(parts)) {
  const part = parts[name];
  if (!part) {
    console.error(`There is no part "${name}". The parts are ${Object.keys(parts).join(', ')}.`);
    process.exit(2);
  }
  await part();
}
