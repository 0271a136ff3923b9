export { infoHashesFor } from './info-hashes.ts';
export { cases } from './cases.ts';
export type { ConformanceCase, Outcome, Transport, Verdict } from './conformance-case.ts';
export { ConformanceError, type ConformanceErrorCode } from './errors.ts';
export { jsonReport, summaryOf, tableReport } from './report.ts';
export { type CaseResult, type ConformanceOptions, defaults, runConformance } from './run.ts';
