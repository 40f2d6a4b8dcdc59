/** For the spec of SQLite: commits to a run until it is killed, and says the number of each last event once it is written. */
require('../typescript-for-tests');
const { openStore } = require('./index.ts');

(async () => {
  const [url, run] = process.argv.slice(2);
  const store = await openStore({ url });
  let sequence = 1;
  for (let attempt = 1; ; attempt++) {
    const events = await store.commit(run, sequence, [
      { what: 'step', step: 'load', status: 'running', attempts: attempt },
      { what: 'attempt', step: 'load', attempt, status: 'running', token: 'x' },
      { what: 'plan', reason: 'x'.repeat(200), plan: { attempt } },
    ]);
    sequence = events.at(-1).sequence;
    process.stdout.write(`${sequence}\n`);
  }
})();
