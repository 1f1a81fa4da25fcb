import { atomicTests } from './atomic.js';
import { campaignTest } from './campaign-test.js';
import { variants } from './variants.js';

campaignTest('tests of Atomic Red Team, and further forms of the file step,', 'scan', [
  ...atomicTests,
  ...variants,
]);
