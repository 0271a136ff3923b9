export { Picker, type PickOptions, type Receipt, type ReceiveOptions } from './picker.ts';
export { defaults, type PickerOptions, type PiecePriority } from './options.ts';
export type { PeerKey } from './peers.ts';
export type { Rarest } from './availability.ts';
export type { Cancel } from './requests.ts';
