import { UserError } from '../base/errors.js';

/**
 * For a command that can do without what an agent stored: where there is no data folder yet it goes on with `instead`. One
 * that is there and cannot be read is an error: what is in it would be taken for nothing.
 */
export function withoutStore<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof UserError && error.code === 'store/none') return instead;
    throw error;
  };
}
