import { defineConfig } from 'vitest/config';

// Long enough for a machine that does something else besides; who waits for something says what, before that.
const common = { pool: 'forks', testTimeout: 60_000, hookTimeout: 120_000 } as const;

// What drives the whole agent runs after the rest and one file at a time: it looks at short-lived processes, and must not
// compete for the processor with tests of ours.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/evasions/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/evasions/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
