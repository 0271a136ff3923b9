// Every default of this package and why it has this value.

export const defaults = {
  /** File handles open at once for all torrents; systems commonly allow a process 1024, most of which sockets need. */
  openFileLimit: 64,
  /** Disk operations under way at once: twice the four threads that Node gives to files, so that none waits for us. */
  concurrency: 8,
  /** Bytes of piece buffers of one pool: 32 pieces of the common 1 MiB. */
  slabLimitBytes: 33_554_432,
  /** Bytes read at once for a check, when pieces are smaller; 512 KiB and more run at full speed (README, "Figures"). */
  checkRunBytes: 1_048_576,
  /** Bytes that checks hold in memory, or one piece: eight reads, of which two a thread wait for their hash. */
  checkBytes: 8_388_608,
  /** Bytes read or written at once when files are copied or filled; at the same speed as whole pieces. */
  copyBytes: 1_048_576,
  /** Below this many bytes handing a hash to another thread costs more than the hash (README, "Figures"). */
  handOverBytes: 65_536,
  /** Threads that hash; each does 2 GB/s, so four keep up with the fastest disks. */
  maxHashThreads: 4,
  /** Milliseconds after which a hashing thread without work ends; starting another takes 30. */
  idleThreadMs: 10_000,
  /** Jobs that a hashing thread has at once: the next one is there while the main thread is busy with other things. */
  jobsPerHashThread: 4,
} as const;
