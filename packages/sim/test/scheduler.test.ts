import { describe, expect, test } from 'vitest';
import { Scheduler } from '../src/index.ts';

const drain = (scheduler: Scheduler): void => {
  while (scheduler.step());
};

describe('scheduler', () => {
  test('runs actions by time, and by order of asking within one instant', () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    scheduler.at(20, () => ran.push('late'));
    scheduler.at(10, () => ran.push('first'));
    scheduler.at(10, () => ran.push('second'));
    scheduler.after(5, () => ran.push('early'));
    drain(scheduler);
    expect(ran).toEqual(['early', 'first', 'second', 'late']);
    expect(scheduler.nowUs).toBe(20);
    expect(scheduler.nowMs).toBe(0.02);
  });

  test('an alarm armed again forgets the earlier time, and its place in the order', () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    const alarm = scheduler.alarm(() => ran.push(`alarm ${scheduler.nowUs}`));
    alarm.arm(5);
    alarm.arm(10);
    scheduler.at(10, () => ran.push('other'));
    alarm.arm(10);
    drain(scheduler);
    expect(ran).toEqual(['other', 'alarm 10']);
  });

  test('a disarmed alarm does not ring, nor one armed for never', () => {
    const scheduler = new Scheduler();
    const alarm = scheduler.alarm(() => expect.unreachable());
    alarm.arm(5);
    alarm.disarm();
    alarm.arm(7);
    alarm.arm(Infinity);
    drain(scheduler);
    expect(scheduler.nextUs).toBe(Infinity);
  });

  test('the past, fractions and jumps over waiting actions are refused', () => {
    const scheduler = new Scheduler();
    scheduler.at(10, () => {});
    expect(() => scheduler.advanceTo(11)).toThrow(RangeError);
    scheduler.step();
    expect(() => scheduler.at(9, () => {})).toThrow(RangeError);
    expect(() => scheduler.at(10.5, () => {})).toThrow(RangeError);
    scheduler.advanceTo(30);
    expect(scheduler.nowUs).toBe(30);
  });

  test('thousands of actions and moved alarms come out in order', () => {
    const scheduler = new Scheduler();
    const seen: number[] = [];
    let expected = 0;
    for (let index = 0; index < 3000; index++) {
      scheduler.at((index * 7919) % 1009, () => seen.push(scheduler.nowUs));
      const alarm = scheduler.alarm(() => seen.push(scheduler.nowUs));
      alarm.arm((index * 31) % 997);
      if (index % 3 === 0) alarm.arm((index * 17) % 991);
      if (index % 5 === 0) alarm.disarm();
      else expected++;
    }
    drain(scheduler);
    expect(seen).toHaveLength(3000 + expected);
    expect(seen).toEqual(seen.toSorted((one, other) => one - other));
    expect(scheduler.size).toBe(0);
  });
});
