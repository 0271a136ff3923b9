import { defineProject, type UserProjectConfigExport } from 'vitest/config';

/** Workspace packages export their sources, so tests need no build. Bounded: a hanging test fails by name. */
const shared: UserProjectConfigExport = defineProject({
  test: { testTimeout: 60_000, hookTimeout: 60_000, include: ['test/**/*.test.ts'] },
});
export default shared;
