import { campaignTest } from './campaign-test.js';
import { evasions } from './catalog.js';

campaignTest('evasions', 'eslogger', evasions);
