import { expect, test } from 'vitest';
import { connect } from '../src/connection.ts';

test.each([
  'http://127.0.0.1:6379',
  'redis://',
  'redis://127.0.0.1:6379,127.0.0.1:6380',
  'redis://127.0.0.1:70000',
  'redis://user:%zz@127.0.0.1:6379',
])('%s is no store: a mistake of the caller', (url) => {
  expect(() => connect(url)).toThrow(TypeError);
});
