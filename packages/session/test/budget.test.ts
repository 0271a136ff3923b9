import { describe, expect, onTestFinished, test } from 'vitest';
import { Budget, type BudgetMember } from '../src/budget.ts';

const MiB = 1024 * 1024;

class Member implements BudgetMember {
  pieceLength = MiB;
  pieceBytes = 0;
  isDownloading = true;
  connections = 0;
  given = { pieceBufferBytes: 0, maxConnections: 0 };

  allow(part: { readonly pieceBufferBytes: number; readonly maxConnections: number }): void {
    this.given = part;
  }
}

function budgetOf(pieceBufferBytes: number, maxTotalConnections = 300): Budget {
  const limits = { openFiles: 8, diskOperations: 4, hashThreads: 1, maxConnections: 100 };
  const budget = new Budget({ ...limits, pieceBufferBytes, maxTotalConnections });
  onTestFinished(() => budget[Symbol.asyncDispose]());
  return budget;
}

describe('a budget', () => {
  test('gives a lone torrent all of it', () => {
    const budget = budgetOf(16 * MiB);
    const only = new Member();
    budget.join(only);
    expect(only.given.pieceBufferBytes).toBe(16 * MiB);
    expect(only.given.maxConnections).toBeGreaterThan(0);
  });

  test('gives equal parts to torrents that are equally busy, whoever came first', () => {
    const budget = budgetOf(16 * MiB);
    const members = [new Member(), new Member(), new Member(), new Member()];
    for (const member of members) {
      budget.join(member);
      member.pieceBytes = 10 * MiB;
    }
    budget.rebalance();
    expect(members.map((member) => member.given.pieceBufferBytes)).toEqual(members.map(() => 4 * MiB));
  });

  test('gives what the slow leave to the fast', () => {
    const budget = budgetOf(32 * MiB);
    const [fast, slow] = [new Member(), new Member()];
    budget.join(fast);
    budget.join(slow);
    fast.pieceBytes = 30 * MiB;
    slow.pieceBytes = 1 * MiB;
    budget.rebalance();
    expect(slow.given.pieceBufferBytes).toBe(4 * MiB);
    expect(fast.given.pieceBufferBytes).toBe(28 * MiB);
  });

  test('gives nothing to torrents that download nothing, and looks again when one leaves', () => {
    const budget = budgetOf(32 * MiB);
    const [busy, idle] = [new Member(), new Member()];
    idle.isDownloading = false;
    budget.join(busy);
    budget.join(idle);
    busy.pieceBytes = 32 * MiB;
    budget.rebalance();
    expect(idle.given.pieceBufferBytes).toBe(0);
    expect(busy.given.pieceBufferBytes).toBe(32 * MiB);
    budget.leave(busy);
    expect(idle.given.pieceBufferBytes).toBe(32 * MiB);
  });

  test('never lets the connections of all torrents pass the total, and leaves everyone reachable', () => {
    const budget = budgetOf(16 * MiB, 20);
    const members = Array.from({ length: 40 }, () => new Member());
    for (const member of members) budget.join(member);
    expect(members.every((member) => member.given.maxConnections === 1)).toBe(true);
    members[0]!.connections = 20;
    expect(budget.hasRoom).toBe(false);
    members[0]!.connections = 19;
    expect(budget.hasRoom).toBe(true);
  });
});
