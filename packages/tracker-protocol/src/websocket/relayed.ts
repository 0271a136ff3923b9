// What a peer sends, read by who passes its session descriptions on: they stay as JSON has them, for writing them again
// would be most of the work. Offers as clients write them are found here, all else is left to requests.ts; nothing is
// taken or refused here that would not be there.
import { parseFields } from './fields.ts';
import { type HeldSdp, type SignalOffer, type SignalRequest, isIdText, signalLimits } from './messages.ts';
import { announceIn, decodeSignalRequest, isAnswer } from './requests.ts';

/** As `decodeSignalRequest`; session descriptions that need not be taken apart are not. */
export function decodeRelayedRequest(text: string): SignalRequest<HeldSdp> {
  return plainAnnounce(text) ?? decodeSignalRequest(text);
}

/** Offers as the last field: clients write them there, and a later one of the same name would replace them. */
const lastField = ',"offers":[';

/** Clients need 250 characters for the rest. Descriptions are parts of the whole text and keep it, so it is not much more than they are. */
const mostBefore = 1024;

/** An offer as every client known to us writes it, up to its description, from there to its id, and its end. */
const [start, middle, end] = ['{"offer":{"type":"offer","sdp":"', '"},"offer_id":"', '"}'];

/**
 * What comes before the offers is an object when it is closed there: so it is a whole number of fields of the message
 * itself, the offers are the next and the end of the text is that of the message. If not, neither is the text JSON.
 */
function plainAnnounce(text: string): SignalRequest<HeldSdp> | undefined {
  const at = text.indexOf(lastField);
  if (at === -1 || at > mostBefore || text.length > signalLimits.messageCharacters) return undefined;
  const offers = offersFrom(text, at + lastField.length);
  if (offers === undefined) return undefined;
  const fields = parseFields(`${text.slice(0, at)}}`);
  if (fields['action'] !== 'announce' || isAnswer(fields)) return undefined;
  return announceIn(fields, () => offers);
}

/** The offers from there to the end of the text; undefined where they are written in any other way. */
function offersFrom(text: string, first: number): SignalOffer<HeldSdp>[] | undefined {
  const offers: SignalOffer<HeldSdp>[] = [];
  for (let at = first; offers.length < signalLimits.offers; at++) {
    if (!text.startsWith(start, at)) return undefined;
    const from = at + start.length - 1;
    const to = text.indexOf(middle, from + 1);
    const id = to + middle.length - 1;
    at = text.indexOf(end, id + 1) + end.length;
    if (to === -1 || at < id) return undefined;
    const json = text.slice(from, to + 1);
    // An id of its own, and not a part of the text, which would be kept as long as the id is.
    const offerId = stringIn(text.slice(id, at - 1));
    if (!isIdText(offerId) || (stringIn(json)?.length ?? Infinity) > signalLimits.sdpCharacters) return undefined;
    offers.push({ offerId, sdp: { json } });
    if (text.length - at === 2 && text.endsWith(']}')) return offers;
    if (text[at] !== ',') return undefined;
  }
  return undefined;
}

/** The string that JSON in quotes is; undefined where it ends elsewhere or is none. */
function stringIn(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
