import { arithmeticFunction } from './arithmetic.js';

export const divide = arithmeticFunction('divide', '/');
