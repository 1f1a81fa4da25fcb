import { atomicTests } from './atomic.js';
import { campaignTest } from './campaign-test.js';

campaignTest('tests of Atomic Red Team', 'scan', atomicTests);
