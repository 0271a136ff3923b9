// What happens, for whoever runs the tracker: lines on stderr, as text or JSON, without addresses of clients unless
// they are asked for. Never called for an announce that is answered as usual.
import { formatIp } from '@shoal/tracker-protocol';
import { pino } from 'pino';
import type { AddressStyle, LogLevel } from './configuration/settings.ts';

/** Facts beside a message. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** A log. */
export interface Log {
  error(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  debug(message: string, facts?: LogFacts): void;
  /** Whether `debug` would print. */
  readonly isDebugging: boolean;
  /** An address (4 or 16 bytes) as a log may show it; undefined when it may not. */
  shown(address: Uint8Array): string | undefined;
  /** What is shown from now on. */
  configure(settings: Pick<LogSettings, 'level' | 'addresses'>): void;
}

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  readonly addresses: AddressStyle;
  /** Leave the time out of text, because something behind us writes it. */
  readonly timeless?: boolean;
}

/** Where lines go; a stream such as `process.stderr`. */
export interface LogTarget {
  write(text: string): unknown;
}

/** A log that writes to `target`. */
export function createLog(settings: LogSettings, target: LogTarget): Log {
  let { addresses } = settings;
  const lines = settings.format === 'json' ? target : { write: (line: string) => target.write(textOf(line, settings)) };
  const logger = pino(
    {
      level: settings.level,
      // No process id, no host name: who collects logs knows where they are from.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string): void => void lines.write(line) },
  );
  return {
    error: (message, facts = {}) => logger.error(facts, message),
    warn: (message, facts = {}) => logger.warn(facts, message),
    info: (message, facts = {}) => logger.info(facts, message),
    debug: (message, facts = {}) => logger.debug(facts, message),
    get isDebugging() {
      return logger.isLevelEnabled('debug');
    },
    shown: (address) => shownAddress(address, addresses),
    configure: (changed) => {
      logger.level = changed.level;
      addresses = changed.addresses;
    },
  };
}

/** An address as far as `style` lets it be seen: truncated to its /24 or /48, which tells networks and no persons. */
export function shownAddress(address: Uint8Array, style: AddressStyle): string | undefined {
  if (style === 'off') return undefined;
  if (style === 'full') return formatIp(address);
  const [kept, bits] = address.length === 4 ? [3, 24] : [6, 48];
  return `${formatIp(Uint8Array.from(address, (byte, index) => (index < kept ? byte : 0)))}/${bits}`;
}

/** `2026-11-21T06:20:00.000Z warn: the message key=value`. */
function textOf(line: string, { timeless }: LogSettings): string {
  const { level, time, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(facts).map(([name, value]) => ` ${name}=${plain(value)}`);
  return `${timeless === true ? '' : `${String(time)} `}${String(level)}: ${String(msg)}${rest.join('')}\n`;
}

/** A value on one line; quoted where it could be taken for more than one. */
function plain(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/+-]+$/.test(value) ? value : JSON.stringify(value);
}
