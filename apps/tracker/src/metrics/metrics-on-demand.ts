// /metrics for a tracker that may never be asked for them: the library behind them takes 5 MB and is loaded when needed.
import type { MetricsSources } from './metrics.ts';

/** The content type of metrics: Prometheus' text format. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Loads what writes metrics; where somebody will ask, before anything is served. */
export async function loadMetrics(): Promise<void> {
  await import('./metrics.ts');
}

/** Writes all metrics in Prometheus' text format. */
export function metricsOnDemand(sources: MetricsSources): () => Promise<string> {
  let writer: Promise<() => Promise<string>> | undefined;
  const load = async (): Promise<() => Promise<string>> => (await import('./metrics.ts')).createMetrics(sources);
  return async () => (await (writer ??= load()))();
}
