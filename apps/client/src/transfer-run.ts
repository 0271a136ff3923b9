// From the words of a command line to the goodbye: what `download` and `seed` share.
import type { Metainfo } from '@shoal/metainfo';
import type { HostPort } from './arguments.ts';
import type { Output } from './output.ts';
import { resolvePeers } from './peer-addresses.ts';
import { onStop, type Stop, type StopReason } from './signals.ts';
import { readTorrents } from './source.ts';
import type { TransferResult } from './transfer-facts.ts';
import { Transfer, type TransferOptions } from './transfer.ts';

export interface TransferRequest extends Omit<TransferOptions, 'peers'> {
  readonly peers: readonly HostPort[];
}

export interface Outcome {
  readonly results: readonly TransferResult[];
  /** Set when the command was asked to stop before `act` was done. */
  readonly by: StopReason | undefined;
}

/** Nothing is opened before `act` asks for it. Runs `act` until it is done or the command is asked to stop, then says goodbye. @throws what `act` throws. */
export async function runTransfer(
  sources: readonly string[],
  request: TransferRequest,
  output: Output,
  act: (torrents: readonly Metainfo[], open: () => Promise<Transfer>, stop: Stop) => Promise<void>,
): Promise<Outcome> {
  const stop = onStop();
  void stop.asked.then((by) => {
    // Who went away needs no news.
    if (by !== 'unread') output.info('stopping: saying goodbye to trackers and peers (asked again, it ends at once)');
  });
  let transfer: Transfer | undefined;
  const work = async (): Promise<void> => {
    const peers = await resolvePeers(request.peers, request.session.bind);
    const torrents = await readTorrents(sources, stop.signal);
    const open = async (): Promise<Transfer> => (transfer = await Transfer.open(output, { ...request, peers }));
    await act(torrents, open, stop);
  };
  try {
    await Promise.race([work(), stop.asked]);
  } catch (error) {
    // A stop aborts what is under way: that is a stop, not a failure.
    if (stop.by() === undefined) throw error;
  } finally {
    await transfer?.close();
  }
  return { results: transfer?.results() ?? [], by: stop.by() };
}
