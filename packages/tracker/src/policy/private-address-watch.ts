// Notices that most announces come from one address of a local network, which is what a tracker sees behind a proxy
// that it does not trust: then every peer is listed under the proxy's address. Remembers one address and a few numbers.
import { formatIp, ipScope } from '@shoal/tracker-protocol';

/** Announces of one look. Fewer are no evidence: a household may have twenty torrents. */
const window = 200;

/** Said again at most this often, in ms. */
const silenceMs = 3_600_000;

/** Watches over announces: looks for who might have a majority in some of them, then counts that one in the next. */
export class PrivateAddressWatch {
  readonly #suspect = new Uint8Array(16);
  /** 0 while nobody is suspected. */
  #suspectBytes = 0;
  /** While looking the suspect's announces less those of others (Boyer and Moore); while counting its announces. */
  #votes = 0;
  #seen = 0;
  #isCounting = false;
  #found: string | undefined;
  #quietUntil = -Infinity;

  /** Takes notice of an announce from an address, 4 or 16 bytes. */
  note(address: Uint8Array): void {
    if (this.#isSuspect(address)) this.#votes++;
    else if (!this.#isCounting) this.#vote(address);
    if (++this.#seen === window) this.#conclude();
  }

  /** The address that most announces share, if that is to be said now: at most once an hour. */
  finding(now: number): string | undefined {
    if (this.#found === undefined || now < this.#quietUntil) return undefined;
    this.#quietUntil = now + silenceMs;
    return this.#found;
  }

  #vote(address: Uint8Array): void {
    if (this.#votes > 0) {
      this.#votes--;
      return;
    }
    this.#suspectBytes = isLocal(address) ? address.length : 0;
    if (this.#suspectBytes === 0) return;
    this.#suspect.set(address);
    this.#votes = 1;
  }

  #conclude(): void {
    const isPossible = this.#votes > 0;
    if (this.#isCounting) this.#found = this.#votes > window / 2 ? this.#address() : undefined;
    else if (!isPossible) this.#found = undefined;
    this.#isCounting = !this.#isCounting && isPossible;
    if (!this.#isCounting) this.#suspectBytes = 0;
    this.#votes = 0;
    this.#seen = 0;
  }

  #address(): string {
    return formatIp(this.#suspect, 0, this.#suspectBytes);
  }

  #isSuspect(address: Uint8Array): boolean {
    if (address.length !== this.#suspectBytes) return false;
    for (let at = 0; at < address.length; at++) if (address[at] !== this.#suspect[at]) return false;
    return true;
  }
}

function isLocal(address: Uint8Array): boolean {
  const scope = ipScope(address);
  return scope === 'private' || scope === 'loopback' || scope === 'link-local';
}
