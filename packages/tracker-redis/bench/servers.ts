// What the servers of a benchmark have used.
import { type RedisServer, commandOf } from '../src/testing/redis-servers.ts';

/** Bytes that the data of all servers takes. */
export async function memoryOf(servers: readonly RedisServer[]): Promise<number> {
  return sumOf(servers, 'memory', /used_memory_dataset:(\d+)/);
}

/** Seconds of processor that all servers have used. */
export async function processorOf(servers: readonly RedisServer[]): Promise<number> {
  return (
    (await sumOf(servers, 'cpu', /used_cpu_user:([\d.]+)/)) + (await sumOf(servers, 'cpu', /used_cpu_sys:([\d.]+)/))
  );
}

async function sumOf(servers: readonly RedisServer[], section: string, pattern: RegExp): Promise<number> {
  let sum = 0;
  for (const server of servers) sum += Number(pattern.exec(String(await commandOf(server, 'INFO', section)))?.[1] ?? 0);
  return sum;
}
