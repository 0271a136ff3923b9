// Fields of a message's JSON, each read with its exact type: anything else ends the conversation.
import { TrackerProtocolError, type TrackerProtocolErrorCode } from '../errors.ts';
import { type IdText, isIdText, signalLimits } from './messages.ts';

/** A JSON object whose fields are not known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** The JSON object that a message is. @throws TrackerProtocolError malformed-json */
export function parseFields(text: string): Fields {
  if (text.length > signalLimits.messageCharacters) throw malformed();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed(cause);
  }
  if (!isFields(value)) throw malformed();
  return value;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws TrackerProtocolError with `code` when the field is no id */
export function idField(fields: Fields, name: string, code: TrackerProtocolErrorCode): IdText {
  const value = fields[name];
  if (isIdText(value)) return value;
  throw new TrackerProtocolError(code, `${name} must be a string of 20 characters up to U+00FF`);
}

/** The text of the session description in `name`, which must be of type `type`. @throws TrackerProtocolError invalid-sdp */
export function sdpField(fields: Fields, name: string, type: 'offer' | 'answer'): string {
  const description = fields[name];
  if (isFields(description) && description['type'] === type) {
    const { sdp } = description;
    if (typeof sdp === 'string' && sdp.length <= signalLimits.sdpCharacters) return sdp;
  }
  throw new TrackerProtocolError('invalid-sdp', `${name} must be a session description of type ${type}`);
}

/** A number that is not negative, at most `Number.MAX_SAFE_INTEGER`; undefined for anything else. */
export function amountField(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' && value >= 0 ? Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER) : undefined;
}

function malformed(cause?: unknown): TrackerProtocolError {
  return new TrackerProtocolError('malformed-json', 'a message must be a JSON object of reasonable size', { cause });
}
