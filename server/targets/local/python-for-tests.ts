/** The Python that specs use: the one they are told, the checkout's own, or the machine's. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const own = join(__dirname, '..', '..', '..', '.venv', 'bin', 'python');

export const python = process.env.STEPWELL_TEST_PYTHON ?? (existsSync(own) ? own : 'python3');
