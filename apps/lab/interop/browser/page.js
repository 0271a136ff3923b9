// What the page does: seeds the content that its server has, or downloads it and leaves it there. Tells by the console.
import WebTorrent from '/webtorrent.js';

const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());

const torrent = await bytesOf('/torrent');
const content = location.hash === '#seed' ? await bytesOf('/content') : undefined;
const client = new WebTorrent({ tracker: { rtcConfig: { iceServers: [] } } });
client.on('error', (error) => console.log(`error: ${error.message}`));

const added = client.add(torrent, content === undefined ? {} : { store: storeOf(content) });
added.on('warning', (warning) => console.log(`warning: ${warning.message ?? warning}`));
added.on('wire', (wire) => console.log(`wire ${wire.type}`));
added.on('done', async () => {
  if (content !== undefined) {
    console.log('seeding');
    return;
  }
  for (const file of added.files) {
    await fetch(`/content?${encodeURIComponent(file.name)}`, { method: 'PUT', body: await file.blob() });
  }
  console.log('completed');
});

/** A store that holds everything already, as webtorrent wants one (abstract-chunk-store). */
function storeOf(bytes) {
  return class {
    constructor(chunkLength) {
      this.chunkLength = chunkLength;
    }

    get(index, options, done) {
      const callback = typeof options === 'function' ? options : done;
      const { offset = 0, length } = (typeof options === 'function' ? undefined : options) ?? {};
      const from = index * this.chunkLength + offset;
      const to = length === undefined ? Math.min((index + 1) * this.chunkLength, bytes.length) : from + length;
      queueMicrotask(() => callback(null, bytes.slice(from, to)));
    }

    put(_index, _bytes, done) {
      queueMicrotask(() => done?.(null));
    }

    close(done) {
      queueMicrotask(() => done?.(null));
    }

    destroy(done) {
      queueMicrotask(() => done?.(null));
    }
  };
}
