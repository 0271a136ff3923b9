// What a check found: a verdict on each target, what is wrong with the whole, and how to say both.
import { isPublicIp } from '@shoal/tracker-protocol';
import type { ExitName } from '../errors.ts';
import type { Target } from './targets.ts';
import type { Blindness, Sight } from './sight.ts';

/** A target and what was seen there. */
export interface Finding {
  readonly target: Target;
  readonly seen: Sight | Blindness;
}

/** All of a check. */
export interface CheckReport {
  readonly findings: readonly Finding[];
  /** What a tracker's operator should change, a sentence each. */
  readonly problems: readonly string[];
  readonly exit: ExitName;
}

/** Judges what was seen. */
export function reportOf(findings: readonly Finding[]): CheckReport {
  const problems = [...findings.flatMap(problemsOf), ...disagreements(findings)];
  const answered = findings.some(({ target, seen }) => target.isNamed && hasAnswered(seen));
  const exit = !answered ? 'network' : problems.length > 0 ? 'verification-failed' : 'ok';
  return { findings, problems, exit };
}

/** Whatever it said: a refusal says that there is nothing to see. */
function hasAnswered(seen: Sight | Blindness): boolean {
  return !('failure' in seen) || seen.failure === 'wrong';
}

/** Lines for people: a row for each target, then the problems. Aligned, or with tabs where programs read. */
export function reportText({ findings, problems }: CheckReport, aligned: boolean): string {
  const rows = findings.map(({ target, seen }) => [
    target.url,
    `IPv${target.family}`,
    target.address,
    ...columnsOf(seen),
  ]);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    aligned
      ? row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()
      : row.join('\t'),
  );
  return [...lines, ...problems.map((problem) => `problem: ${problem}`), ''].join('\n');
}

/** One object for programs. */
export function reportJson({ findings, problems, exit }: CheckReport): object {
  const targets = findings.map(({ target, seen }) => ({
    ...target,
    ...('failure' in seen ? seen : { failure: null, ...seen }),
  }));
  return { event: 'checked', result: exit, targets, problems };
}

function columnsOf(seen: Sight | Blindness): string[] {
  if ('failure' in seen) return [seen.failure, seen.reason];
  const { latencyMs, interval, minInterval, externalIp, found, counts, warning } = seen;
  const facts = [
    `${latencyMs.toFixed(1)} ms`,
    `every ${interval} s${minInterval === undefined ? '' : `, not before ${minInterval} s`}`,
    externalIp === undefined ? undefined : `sees you as ${externalIp}`,
    found ? 'peers find each other' : 'peers do not find each other',
    counts === undefined ? 'no counts' : `${counts.complete} seeders, ${counts.incomplete} leechers`,
    warning === undefined ? undefined : `warns: ${warning}`,
  ];
  return ['ok', facts.filter((fact) => fact !== undefined).join('; ')];
}

function problemsOf({ target, seen }: Finding): string[] {
  const where = `${target.transport} over IPv${target.family}`;
  if ('failure' in seen) {
    // What nobody named may be missing; what a resolver gives out must answer.
    if (!target.isNamed && seen.failure !== 'wrong') return [];
    return seen.failure === 'no-route' ? [] : [`${where}: ${seen.reason}`];
  }
  const problems: string[] = [];
  const address = seen.listedAs ?? seen.externalIp;
  if (address !== undefined && !isPublicIp(address) && isPublicIp(target.address)) {
    problems.push(
      `${where}: the tracker takes your address for ${address}, which nobody can reach: it is behind a proxy or a translated network; with shoal-tracker name the proxy in --trusted-proxy`,
    );
  }
  if (!seen.found) problems.push(`${where}: a second peer of the torrent was not told of the first`);
  if (seen.counts !== undefined && seen.counts.complete + seen.counts.incomplete < 2) {
    problems.push(
      `${where}: two peers announced, but the tracker counts ${seen.counts.complete + seen.counts.incomplete}`,
    );
  }
  if (seen.interval < 1) problems.push(`${where}: the answer has no interval`);
  return problems;
}

/** The same client has one address in each family, whatever the transport. */
function disagreements(findings: readonly Finding[]): string[] {
  return [4, 6].flatMap((family) => {
    const seen = findings.flatMap(({ target, seen: sight }) => {
      if (target.family !== family || 'failure' in sight) return [];
      const address = sight.listedAs ?? sight.externalIp;
      return address === undefined ? [] : [{ transport: target.transport, address }];
    });
    const [one] = seen;
    const other = seen.find(({ address }) => address !== one?.address);
    if (one === undefined || other === undefined) return [];
    return [
      `IPv${family}: ${one.transport} sees you as ${one.address}, ${other.transport} as ${other.address}: something in between hides your address from one of them`,
    ];
  });
}
