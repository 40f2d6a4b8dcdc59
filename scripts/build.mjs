/** `npm run build`: what we ship, compiled and bundled: `lib/` and `build/labextensions/`. */
import { setup } from './setup.mjs';

await setup();
