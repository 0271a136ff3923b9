import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { predecessorOf } from '../src/restart.ts';

/** The channel to a process that offers sockets by the numbers 4 and 5, whatever it is asked. */
class Channel extends EventEmitter {
  send(): boolean {
    queueMicrotask(() => this.emit('message', { tell: 'socket', name: 'http', descriptors: [4, 5] }));
    return true;
  }
}

test.each([
  [
    'of as many sockets as the process before says',
    { SHOAL_TRACKER_SUCCESSOR: '1', SHOAL_TRACKER_SOCKETS: '2' },
    [4, 5],
  ],
  [
    'of none where it is of a release that gives none: other numbers are not its own',
    { SHOAL_TRACKER_SUCCESSOR: '1' },
    [],
  ],
])('a successor takes the numbers %s', async (_case, said, descriptors) => {
  const environment: NodeJS.ProcessEnv = said;
  const predecessor = predecessorOf(environment, new Channel());
  expect(await predecessor?.socket('http', '127.0.0.1', 80, 9)).toEqual({ descriptors });
  expect(environment).toEqual({});
});
