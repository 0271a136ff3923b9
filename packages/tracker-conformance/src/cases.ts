// All cases, in the order of their numbers: 1 to 70 are known corner cases, from 71 on what the BEPs add.
import { extensionCases } from './cases/extensions.ts';
import { httpAddressCases } from './cases/http-addresses.ts';
import { httpHashCases } from './cases/http-hashes.ts';
import { httpParameterCases } from './cases/http-parameters.ts';
import { httpTransportCases } from './cases/http-transport.ts';
import { scrapeCases } from './cases/scrapes.ts';
import { swarmCases } from './cases/swarms.ts';
import { udpAnnounceCases } from './cases/udp-announces.ts';
import { udpPacketCases } from './cases/udp-packets.ts';
import { webSocketCases } from './cases/websocket.ts';
import type { ConformanceCase } from './conformance-case.ts';

/** The table. */
export const cases: readonly ConformanceCase[] = [
  ...httpHashCases,
  ...httpParameterCases,
  ...swarmCases,
  ...httpAddressCases,
  ...httpTransportCases,
  ...scrapeCases,
  ...udpPacketCases,
  ...udpAnnounceCases,
  ...webSocketCases,
  ...extensionCases,
].toSorted((one, other) => one.number - other.number);
