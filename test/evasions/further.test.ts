import { atomicTests } from './atomic.js';
import { campaignTest } from './campaign-test.js';
import { loadVariants } from './load-variants.js';
import { settings } from './settings.js';
import { variants } from './variants.js';

campaignTest('tests of Atomic Red Team, and further forms of the evasions,', 'scan', [
  ...atomicTests,
  ...variants,
  ...loadVariants,
  ...settings,
]);
