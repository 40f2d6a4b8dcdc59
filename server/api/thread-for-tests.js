/** For specs: the thread, from its source. */
require('../typescript-for-tests');
require('./thread.ts');
