// What a peer sends, read by who passes its session descriptions on: they stay as JSON has them, for taking them apart
// and writing them again would be most of the work. Offers as clients write them are matched, all else is left to
// requests.ts; nothing is taken or refused here that would not be there.
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

/** A string of RFC 8259 §7. No two ways to match one, so it takes linear time. */
const string = String.raw`"[^"\\\0-\x1f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\0-\x1f]*)*"`;

/** An offer as every client known to us writes it, with what follows it. */
const offerPattern = new RegExp(
  String.raw`\{"offer":\{"type":"offer","sdp":(${string})\},"offer_id":(${string})\}(,|\]\}$)`,
  'y',
);

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
function offersFrom(text: string, start: number): SignalOffer<HeldSdp>[] | undefined {
  const offers: SignalOffer<HeldSdp>[] = [];
  offerPattern.lastIndex = start;
  for (;;) {
    const [, json = '', quotedId = '', end] = offerPattern.exec(text) ?? [];
    if (end === undefined) return undefined;
    // Not a part of the text, which would be kept as long as the id is.
    const offerId: unknown = JSON.parse(quotedId);
    if (!isIdText(offerId) || json.length > signalLimits.sdpCharacters) return undefined;
    offers.push({ offerId, sdp: { json } });
    if (end !== ',') return offers.length > signalLimits.offers ? undefined : offers;
  }
}
