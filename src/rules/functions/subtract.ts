import { arithmeticFunction } from './arithmetic.js';

export const subtract = arithmeticFunction('subtract', '-');
