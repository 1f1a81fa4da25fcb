import { arithmeticFunction } from './arithmetic.js';

export const multiply = arithmeticFunction('multiply', '*');
