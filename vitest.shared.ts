import { defineProject, type UserProjectConfigExport } from 'vitest/config';

/**
 * Workspace packages export their sources, so tests need no build. Bounded: a hanging test fails by name. What is polled
 * for has longer than the second that vitest gives it, in which a busy machine may not come to it.
 */
const shared: UserProjectConfigExport = defineProject({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    include: ['test/**/*.test.ts'],
  },
});
export default shared;
