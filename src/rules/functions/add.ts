import { arithmeticFunction } from './arithmetic.js';

export const add = arithmeticFunction('add', '+');
