import { type Block, inBlock, parseAddress, parseBlock } from '../plan/cidr.js';
import { type EqlFunction, textOf } from './function.js';

function matches(source: unknown, blocks: readonly Block[]): boolean {
  const address = typeof source === 'string' ? parseAddress(source) : undefined;
  return address !== undefined && blocks.some((block) => inBlock(address, block));
}

function blocksOf(texts: readonly unknown[]): Block[] {
  return texts
    .map((text) => (typeof text === 'string' ? parseBlock(text) : undefined))
    .filter((block) => block !== undefined);
}

/** True when an address lies in any of the blocks; a bare address is a block of one. What is no address is in none. */
export const cidrMatch: EqlFunction = {
  name: 'cidrMatch',
  evaluate([source, ...blocks]) {
    return textOf(source) === undefined ? false : matches(source, blocksOf(blocks));
  },
  prepare(rest) {
    if (rest.includes(undefined)) return undefined;
    const blocks = blocksOf(rest);
    return (first) => matches(first, blocks);
  },
};
