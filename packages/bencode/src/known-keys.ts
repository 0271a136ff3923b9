// Known keys: the dictionary keys that the BEPs and common practice name, so that reading one makes no new string.
// A table made once and never changed: what a remote sends cannot grow it. Decides nothing about a key's meaning.
import { latin1Slice } from './text.ts';

/** The key in the bytes from `start` up to `end`, as latin1 text. */
export function keyText(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return '';
  const length = end - start;
  const known = table[slotOf(bytes[start]!, bytes[end - 1]!, length)]!;
  if (known.length !== length) return latin1Slice(bytes, start, end);
  for (let position = 0; position < length; position += 1) {
    if (known.charCodeAt(position) !== bytes[start + position]) return latin1Slice(bytes, start, end);
  }
  return known;
}

/** Chosen by trial: of the keys below, only `flags`, `t` and `scrape` find their slot taken. */
function slotOf(first: number, last: number, length: number): number {
  return (first * 3 + last * 47 + length * 4) & 511;
}

/** The most frequent first: of two keys that share a slot, the first has it and the other is read the long way. */
const keys: readonly string[] = [
  // Metainfo: BEP 3, 5, 12, 17, 19, 27, 30, 47, 52.
  'length,path,attr,path.utf-8,md5sum,sha1,symlink path,pieces root,info,name,pieces,piece length,files,private',
  'announce,announce-list,comment,created by,creation date,encoding,source,url-list,httpseeds,nodes,name.utf-8',
  'file tree,meta version,piece layers',
  // Tracker replies: BEP 3, 7, 23, 24, 31, 48.
  'ip,port,peer id,peers,peers6,interval,min interval,complete,incomplete,downloaded,failure reason',
  'warning message,tracker id,external ip,retry in,flags,min_request_interval',
  // DHT: BEP 5, 32, 33, 43, 44, 51.
  'a,q,r,t,y,e,v,ro,id,target,info_hash,token,values,nodes6,want,implied_port,seed,scrape,k,seq,sig,cas,salt',
  'samples,num',
  // Extension messages: BEP 9, 10, 11, 54, 55.
  'm,p,reqq,yourip,ipv4,ipv6,metadata_size,msg_type,piece,total_size,ut_metadata,ut_pex,added,added.f,added6',
  'added6.f,dropped,dropped6,upload_only,lt_donthave,ut_holepunch,share_mode,lt_tex',
].flatMap((line) => line.split(','));

const table: readonly string[] = tableOf(keys);

function tableOf(known: readonly string[]): readonly string[] {
  const slots = Array.from({ length: 512 }, () => '');
  for (const key of known) {
    const slot = slotOf(key.charCodeAt(0), key.charCodeAt(key.length - 1), key.length);
    if (slots[slot] === '') slots[slot] = key;
  }
  return slots;
}
