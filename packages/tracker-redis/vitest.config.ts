import { type UserProjectConfigExport, mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/** Most of these tests wait for servers that they start, on ports of their own: on two cores vitest would run one file at a time. */
const config: UserProjectConfigExport = mergeConfig(shared, { test: { maxWorkers: 3 } });
export default config;
