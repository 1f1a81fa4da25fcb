import { arithmeticFunction } from './arithmetic.js';

export const modulo = arithmeticFunction('modulo', '%');
