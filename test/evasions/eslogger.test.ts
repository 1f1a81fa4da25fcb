import { campaignTest } from './campaign-test.js';

campaignTest('eslogger');
