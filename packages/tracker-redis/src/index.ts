export { TrackerRedisError, type TrackerRedisErrorCode } from './errors.ts';
export { RedisStore, type RedisStoreOptions } from './redis-store.ts';
export type { RedisSignalling } from './signalling.ts';
