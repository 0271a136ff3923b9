import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { SimulationResult } from '../src/commands/simulate.ts';
import { scenarios } from '../src/scenarios.ts';
import { lab } from './lab-run.ts';

const simulate = async (...words: string[]): Promise<SimulationResult> => {
  const { code, stdout, stderr } = await lab(tmpdir(), 'simulate', '--peers', '3', '--json', ...words);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout) as SimulationResult;
};

describe('shoal-lab simulate', () => {
  test('gives the same run for the same seed and another for another', async () => {
    const [one, again, other] = await Promise.all([simulate(), simulate(), simulate('--seed', '2')]);
    expect(again).toEqual(one);
    expect(other.hash).not.toBe(one.hash);
  });

  test('tells a corrupter by name to those it harmed', async () => {
    const { peers } = await simulate('--scenario', 'corrupter');
    const harmed = peers.filter(({ corruptBytes }) => corruptBytes > 0);
    expect(harmed.length).toBeGreaterThan(0);
    for (const { banned } of harmed) expect(banned).toEqual(['corrupter']);
  });

  test('prints a table for people and names the run', async () => {
    const { code, stdout, stderr } = await lab(tmpdir(), 'simulate', '--peers', '2', '--scenario', 'origin-leaves');
    expect(code).toBe(0);
    expect(stderr).toBe('origin-leaves: the origin leaves as soon as one full copy is out\n');
    expect(stdout).toMatch(/^origin .* stopped$/m);
    expect(stdout).toMatch(/^run +seed 1, \d+ events, hash [0-9a-f]{16}$/m);
  });

  test('refuses an unknown scenario and names those there are', async () => {
    const { code, stderr } = await lab(tmpdir(), 'simulate', '--scenario', 'none');
    expect(code).toBe(2);
    for (const name of Object.keys(scenarios)) expect(stderr).toContain(name);
  });

  test.for(Object.keys(scenarios))('completes %s', (name) => {
    const { simulation, downloaders } = scenarios[name]!.build({ seed: 3, peers: 3 });
    const report = simulation.runUntil(() => downloaders.every(({ complete }) => complete), 3_600_000);
    expect(report.outcome).toBe('done');
  });
});
