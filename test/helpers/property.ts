import fc from 'fast-check';

// The tests draw the same cases each time, so that one that fails is of the change; `npm run fuzz` draws others.
const seed = 20_261_130;
if (process.env['FUZZ_RUNS'] === undefined) fc.configureGlobal({ seed });

export { fc };
