// What every storage promises, as plain cases that any test framework can run. Decides the promises of storage.ts and
// nothing about where content is kept: no paths, no files on disk. Each case makes its own storage.
import { changeCases } from './change-cases.ts';
import { contentCases } from './content-cases.ts';
import type { StorageContractCase } from './contract-case.ts';
import { orderCases } from './order-cases.ts';

export type { MakeStorage, StorageCapability, StorageContractCase } from './contract-case.ts';

/** Run every case for every implementation that has what the case needs. */
export const storageContract: readonly StorageContractCase[] = [...contentCases, ...orderCases, ...changeCases];
