/** For the spec of the local target: starts the task it is given and says what it hears, until it is killed. */
require('../../typescript-for-tests');
const { createLocalTarget } = require('./index.ts');

const { options, task } = JSON.parse(process.argv[2]);
const target = createLocalTarget(options);
target.watch(event => process.stdout.write(`${JSON.stringify(event)}\n`));
target.start(task);
